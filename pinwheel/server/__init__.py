"""What the containers of docker-compose.yml run beside the pipeline itself."""
