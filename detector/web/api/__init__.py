"""The routes of the HTTP API, `/api/v1/...`: each module has `routes(parts)`, and `app` lists the modules."""
