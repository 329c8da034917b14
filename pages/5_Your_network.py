"""The session's own network: from a script, a file, a link or another page."""

from pages.elements import own
from pages.elements.page import open_page
from pages.elements.your_network import page

open_page(own.PATH)
page.draw()
