def handle(event, context):
    """What is returned is the answer: text, bytes, a generator, an object as JSON, or {"statusCode", "headers", "body"}."""
    return {
        "message": "Hello from Python",
        "method": event.method,
        "path": event.path,
        "body": event.body.decode(),
    }
