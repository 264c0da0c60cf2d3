"""Prints a run's report as a PDF or a PNG, as a browser shows it.

Needs the extra ``report`` (Playwright) and a Chromium or Chrome that is installed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from embft.errors import EmbftError, in_words

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
# A4 with 12 mm margins, in millimetres.
_MARGIN = "12mm"


class PrintError(EmbftError):
    """The report cannot be printed."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for a mistake of the user's."""
    parser = argparse.ArgumentParser(description="Print a run's report as a PDF or a PNG.")
    parser.add_argument("report", type=Path, help="a run folder, or an HTML file")
    parser.add_argument("out", type=Path, help="the file to write: .pdf or .png")
    parser.add_argument("--dark", action="store_true", help="the report's dark colours")
    parser.add_argument(
        "--width", type=int, default=1100, help="width of the page in CSS pixels (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        print_report(options.report, options.out, dark=options.dark, width=options.width)
    except EmbftError as error:
        print(f"print-report: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"print-report: {in_words(error)}", file=sys.stderr)
        return 2
    print(options.out)
    return 0


def print_report(report: Path, out: Path, *, dark: bool = False, width: int = 1100) -> None:
    """Writes a PNG of the whole page, or a PDF on A4.

    Args:
        report: A run folder (its ``report.html``) or an HTML file.
        out: Ends in ``.pdf`` or ``.png``; its folder is made where it is missing.
        dark: Ask the page for its dark colours.
        width: Viewport width in CSS pixels; a PDF is scaled to fit it on the page.

    Raises:
        PrintError: There is no report, no browser or no Playwright, the page cannot be shown, or the name ends in
            something else.
        OSError: The file cannot be written.
    """
    page_file = report / "report.html" if report.is_dir() else report
    if not page_file.is_file():
        raise PrintError(f"{page_file} does not exist: give a finished run folder or an HTML file.")
    if out.suffix.lower() not in {".pdf", ".png"}:
        raise PrintError(f"{out} must end in .pdf or .png.")
    if width < 320:
        raise PrintError(f"--width={width} is too narrow: give at least 320.")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise PrintError("Printing needs Playwright: pip install -c constraints.txt -e '.[report]'") from None

    out.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = open_browser(playwright)
        try:
            page = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
                device_scale_factor=2,
            )
            page.goto(page_file.resolve().as_uri())
            if out.suffix.lower() == ".png":
                page.screenshot(path=out, full_page=True)
            else:
                page.emulate_media(media="screen", color_scheme="dark" if dark else "light")
                # A4 less its margins is 703 CSS pixels wide; Chromium scales between 0.1 and 2.
                scale = min(2.0, max(0.1, 703 / width))
                page.pdf(
                    path=out,
                    format="A4",
                    print_background=True,
                    scale=scale,
                    margin={"top": _MARGIN, "bottom": _MARGIN, "left": _MARGIN, "right": _MARGIN},
                )
        except Error as error:
            raise PrintError(f"{page_file} cannot be printed: {error.message.splitlines()[0]}") from error
        finally:
            browser.close()


def open_browser(playwright: Playwright) -> Browser:
    """Starts an installed Chromium or Chrome, else the one that ``playwright install chromium`` brought.

    Raises:
        PrintError: There is none, or it does not start.
    """
    from playwright.sync_api import Error

    installed = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    try:
        # Chromium's sandbox does not work for root, as in most containers; the page is a file of our own making.
        return playwright.chromium.launch(executable_path=installed, chromium_sandbox=False)
    except Error as error:
        if installed:
            raise PrintError(f"{installed} does not start: {error.message.splitlines()[0]}") from error
        raise PrintError(
            "Printing needs a browser: install Chromium or Chrome (apt-get install chromium), "
            "or run `python -m playwright install chromium`."
        ) from error
