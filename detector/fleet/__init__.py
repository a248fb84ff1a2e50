"""`collect` and `fleet`: the events of many daemons, from a broker into one database."""
