"""What a page on a booted machine is asked there: programs for the interpreter inside."""

CHANGE_A_SETTING = """\
import json, sys, urllib.error, urllib.request
page = "http://127.0.0.1:8790/api/v1/"
token = json.load(urllib.request.urlopen(page + "me"))["csrf"]
headers = {"X-CSRF-Token": token, "Content-Type": "application/json"}
body = json.dumps({"changes": {"events.threshold_on": float(sys.argv[1])}}).encode()
request = urllib.request.Request(page + "settings", body, headers, method="PUT")
try:
    print(urllib.request.urlopen(request, timeout=60).read().decode())
except urllib.error.HTTPError as error:
    print(error, error.read().decode())
"""
"""Set `events.threshold_on` to the first argument, where no password is set."""
