"""`headrace serve`: pages and an API over what the jobs keep. `app.app` makes the application of a `world.World`."""
