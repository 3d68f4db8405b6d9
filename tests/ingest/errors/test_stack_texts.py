"""Stack traces as runtimes print them read as the exceptions that an SDK would have sent."""

import re
from typing import Any

import pytest

from ingest.errors.grouping import PartKind, group
from ingest.errors.stack_texts import frames_of_text
from tests.ingest.errors.bodies import exception, failure, frame, sent

PYTHON = """Traceback (most recent call last):
  File "/usr/local/lib/python3.8/site-packages/django/core/handlers/base.py", line 34, in inner
    response = get_response(request)
               ^^^^^^^^^^^^^^^^^^^^^
  File "/code/errors/views.py", line 18, in get
    1 / 0
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/code/errors/views.py", line 20, in get
    raise requests.exceptions.ConnectionError("bad")
requests.exceptions.ConnectionError: bad
and more
"""
JAVA = """Exception in thread "main" java.lang.RuntimeException: outer
\tat com.example.App.run(App.java:12)
\tat com.example.App.main(App.java:5)
\tSuppressed: java.io.IOException: close
\t\tat com.example.Resource.close(Resource.java:3)
\t\t... 2 more
Caused by: java.io.IOException: disk full
\tat java.base/java.io.FileOutputStream.write(FileOutputStream.java:99)
\tat com.example.App.lambda$run$0(App.java:11)
\t... 1 more
"""
NODE = """TypeError: Cannot read properties of undefined (reading 'x')
    at total (/app/src/cart.js:3:5)
    at async Shop.open (file:///app/src/shop.mjs:10:2)
    at new Pool (/app/node_modules/.pnpm/pg@1.2.3/node_modules/pg/pool.js:1:2)
    at node:internal/main/run_main_module:23:47 {
  [cause]: Error: root
      at price (/app/src/price.js:1:1)
}
"""
GECKO = """total@https://shop.example/src/cart.js:12:3
open/<@https://shop.example/src/shop.js:1:2
"""
DOTNET = r"""Unhandled exception. System.InvalidOperationException: outer
 ---> System.NullReferenceException: Object reference not set
   at Shop.Data.Repository.Load(Int32 id) in C:\src\Shop\Data\Repository.cs:line 22
   --- End of inner exception stack trace ---
   at Shop.Service.Get(String a, Int32 b) in C:\src\Shop\Service.cs:line 12
   at System.Threading.Tasks.Task.Run(Action action)
"""
GO = """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
github.com/acme/shop/store.(*Server).Get(0xc000012345, {0x1, 0x2})
\t/go/src/github.com/acme/shop/store/get.go:8 +0x1d
main.main()
\t/app/cmd/main.go:8 +0x2c

goroutine 7 [select]:
net/http.(*Server).Serve(...)
\t/usr/local/go/src/net/http/server.go:12
exit status 2
"""
RUBY = """app/models/user.rb:12:in `save': undefined method `x' for nil:NilClass (NoMethodError)
\tfrom /usr/lib/ruby/gems/3.2.0/gems/rails-7.0.4/lib/rails.rb:33:in `block (2 levels) in call'
\tfrom bin/rails:4:in `<main>'
"""
PHP = r"""PHP Fatal error: Uncaught App\Errors\NotFound: no user 12 in /var/www/html/src/User.php:12
Stack trace:
#0 /var/www/html/src/Controller.php(33): App\User->load('x')
#1 /var/www/html/vendor/slim/app.php(12): App\Controller->show(Object(A))
#2 {main}
  thrown in /var/www/html/src/User.php on line 12
"""

# Of each text: types and messages, root cause first; and the app's own frames, innermost last.
READ: dict[str, tuple[str, list[tuple[str, str]], list[str]]] = {
    "python": (
        PYTHON,
        [("ZeroDivisionError", "division by zero"), ("ConnectionError", "bad")],
        ["errors.views in get", "errors.views in get"],
    ),
    "java": (
        JAVA,
        [("IOException", "disk full"), ("RuntimeException", "outer")],
        [
            *("com.example.App in main", "com.example.App in lambda$run"),
            *("com.example.App in main", "com.example.App in run"),
        ],
    ),
    "node": (
        NODE,
        [("Error", "root"), ("TypeError", "Cannot read properties of undefined (reading 'x')")],
        ["src/price.js in price", "src/shop.mjs in open", "src/cart.js in total"],
    ),
    "gecko": (GECKO, [("", "")], ["src/shop.js in open", "src/cart.js in total"]),
    "dotnet": (
        DOTNET,
        [
            ("System.NullReferenceException", "Object reference not set"),
            ("System.InvalidOperationException", "outer"),
        ],
        ["Shop.Data.Repository in Load", "Shop.Service in Get"],
    ),
    "go": (
        GO,
        [("panic", "runtime error: index out of range [5] with length 3")],
        ["cmd/main.go in main", "github.com/acme/shop/store in (*Server).Get"],
    ),
    "ruby": (
        RUBY,
        [("NoMethodError", "undefined method `x' for nil:NilClass")],
        ["bin/rails in <main>", "app/models/user.rb in save"],
    ),
    "php": (
        PHP,
        [(r"App\Errors\NotFound", "no user 12")],
        [r"src/Controller.php in App\Controller::show", r"src/User.php in App\User::load"],
    ),
}


def body_of(text: str) -> dict[str, Any]:
    return {"exception": {"values": frames_of_text(text)}}


@pytest.mark.parametrize("language", READ)
def test_types_and_messages_are_read(language: str) -> None:
    text, expected, _ = READ[language]
    found = frames_of_text(text)
    assert [(each.get("type", ""), each.get("value", "")) for each in found] == expected


@pytest.mark.parametrize("language", READ)
def test_own_frames_decide(language: str) -> None:
    text, _, expected = READ[language]
    part = group(body_of(text)).decided_by[0]
    assert (part.kind, list(part.values)) == (PartKind.IN_APP_FRAMES, expected)


@pytest.mark.parametrize("language", READ)
def test_line_numbers_do_not_matter(language: str) -> None:
    text, _, _ = READ[language]
    moved = re.sub(r"(:|line |\()\d+(?=[:),\s])", r"\g<1>77", text)
    assert moved != text
    assert group(body_of(text)).signature == group(body_of(moved)).signature


def test_text_groups_as_what_the_sdk_sends() -> None:
    lines = [
        f'  File "{each["abs_path"]}", line {each["lineno"]}, in {each["function"]}'
        for each in sent("python_zero_division")["exception"]["values"][0]["stacktrace"]["frames"]
    ]
    text = "\n".join(
        ["Traceback (most recent call last):", *lines, "ZeroDivisionError: division by zero"]
    )
    assert group(body_of(text)).signature == group(sent("python_zero_division")).signature


def test_java_text_groups_as_what_the_sdk_sends() -> None:
    def java(module: str, function: str) -> dict[str, Any]:
        return frame(module, function, filename="App.java", abs_path="App.java", in_app=None)

    start = java("com.example.App", "main")
    cause = [
        start,
        java("com.example.App", "lambda$run$0"),
        java("java.io.FileOutputStream", "write"),
    ]
    body = failure(
        exception("IOException", "disk full", *cause, module="java.io"),
        exception("RuntimeException", "outer", start, java("com.example.App", "run")),
        platform="java",
    )
    assert group(body).signature == group(body_of(JAVA)).signature


@pytest.mark.parametrize(
    "text", ["", "no trace", "Error: failed at 10:20:30", "at last\n  at (x)", "\x00"]
)
def test_text_without_frames_is_no_stack_trace(text: str) -> None:
    assert frames_of_text(text) == []
