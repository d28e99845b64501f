"""Helper programs of the containers of docker-compose.yml."""
