"""Where the parts meet: configuration, wiring, the service, the command line, the public face."""
