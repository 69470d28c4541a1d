"""The state folder: state files, the journal and the cursors of the alert sinks.

`folder` is the small seam to the file system, `files` the atomic write on it, `codec` what a file
says, `trust` whether it is believed, `store` and `journal` the ports, `opening` all of it at once.
"""
