"""The database and Kafka: connections, statements, migrations, offsets."""
