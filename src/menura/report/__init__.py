"""The report: one self-contained HTML page that plays and pictures the answers beside their target."""

from menura.explain.settings import Setting, SettingGroup, settings_that_matter
from menura.report.matches import report_of
from menura.report.page import Answer, Attachment, Page, render_page

__all__ = [
    "Answer",
    "Attachment",
    "Page",
    "Setting",
    "SettingGroup",
    "render_page",
    "report_of",
    "settings_that_matter",
]
