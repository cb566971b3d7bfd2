"""The report: one self-contained HTML page that plays and pictures the answers beside their target."""

from menura.report.matches import report_of
from menura.report.page import Answer, Attachment, Page, render_page
from menura.report.settings import Setting, SettingGroup, settings_that_matter

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
