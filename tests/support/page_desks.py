"""A page that changes things: its commands run in this process, its daemon is one that hears nothing."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout

from detector.assemble.web_making import make_page_desk
from detector.cli.main import main
from detector.web.daemon_link import DaemonLink
from detector.web.desk.child_commands import Finished
from detector.web.desk.daemon_orders import DaemonOrders
from tests.support.web_pages import changing, make_parts


class CommandsHere:
    """Runs commands that end by themselves in this process, which saves their start."""

    def __init__(self):
        self.run_before = []

    async def run(self, *arguments, seconds=60.0):
        self.run_before.append(arguments)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(list(arguments))
            except SystemExit as ended:
                code = ended.code
        return Finished(code, out.getvalue(), err.getvalue())

    def close(self):
        """Nothing runs on."""


def parts_with_desk(folder, uris=None, commands=None, **options):
    """Parts of a page whose config file is `folder`/config.yaml; without `uris` there is no daemon."""
    uris = uris or [f"unix://{folder}/no-daemon.sock"]
    link = DaemonLink(uris)
    history = (folder / "history.db",)
    desk = make_page_desk(
        folder / "config.yaml",
        DaemonOrders(link, uris),
        commands or CommandsHere(),
        history=history,
        state=folder / "state",
        **options,
    )
    return make_parts(folder, daemon=link, history=history, desk=desk)


def ask(page, method, path, body=None):
    """Send JSON as the page does; returns the status and the answer."""
    headers = dict(changing(page)) | {"Content-Type": "application/json"}
    answer = page.request(method, path, headers=headers, content=None if body is None else json.dumps(body))
    return answer.status_code, answer.json() if answer.content else None
