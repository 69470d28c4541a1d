"""The dashboards, in the order in which a person looks."""

from deploy.grafana.exchange import EXCHANGE
from deploy.grafana.fleet import FLEET
from deploy.grafana.process import PROCESS
from deploy.grafana.strategy import STRATEGIES

BOARDS = (FLEET, STRATEGIES, EXCHANGE, PROCESS)
