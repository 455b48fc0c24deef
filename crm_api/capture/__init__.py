"""The capture frontend: the pages that agents, dispatchers and branches work in all day."""
