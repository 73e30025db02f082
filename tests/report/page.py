"""page.py FILE: is a report well-formed, whole, and without anything that runs?"""
import base64
import re
import sys
from html.parser import HTMLParser

from png import check_png

VOID = {"meta", "img", "br"}
BANNED = {"script", "link", "iframe", "object", "embed", "form", "base", "foreignobject"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.seen = [], [], {}

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        values = dict(attributes)
        if len(values) != len(attributes):
            self.wrong.append(f"an attribute twice in {tag}")
        if tag in BANNED:
            self.wrong.append(f"a {tag}")
        for name, value in attributes:
            value = value or ""
            if name.startswith("on"):
                self.wrong.append(f"{tag} has {name}")
            if name in ("href", "xlink:href") and not value.startswith("#"):
                self.wrong.append(f"{tag} leads to {value}")
            if name == "src":
                self.picture(value)
            if re.search(r"url\(\s*['\"]?(?!#)", value):
                self.wrong.append(f"{tag} fetches {value}")
        if tag == "img" and not values.get("alt"):
            self.wrong.append("a picture without a text")
        if tag == "th" and "scope" not in values:
            self.wrong.append("a heading without a scope")

    def picture(self, value):
        head = "data:image/png;base64,"
        if not value.startswith(head):
            self.wrong.append(f"a picture from {value[:40]}")
        else:
            check_png(base64.b64decode(value[len(head):], validate=True))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    page.close()
    if page.open:
        page.wrong.append(f"still open: {page.open}")
    for tag in ("h1", "title", "main", "table"):
        if not page.seen.get(tag):
            page.wrong.append(f"no {tag}")
    if "@import" in text or not text.startswith("<!DOCTYPE html>"):
        page.wrong.append("a style from elsewhere, or no doctype")
    for wrong in page.wrong:
        print(wrong)
    sys.exit(bool(page.wrong))


main()
