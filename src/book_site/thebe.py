"""No page of the book runs code on a server, so the script that would ask for one stays out.

This can go with Jupyter Book 1, whose list of extensions has no setting that leaves this one out.
"""


def setup(app):
    app.connect("builder-inited", leave_out, priority=0)


def leave_out(app):
    # Jupyter Book always loads the extension; it declares a constant twice, which is an error.
    for listener in list(app.events.listeners["env-before-read-docs"]):
        if listener.handler.__name__ == "init_thebe_core":
            app.disconnect(listener.id)
