"""The report: one self-contained HTML page that plays and pictures the answers beside their target."""

from menura.report.page import Answer, Attachment, Page, render_page
from menura.report.settings import Setting, SettingGroup

__all__ = ["Answer", "Attachment", "Page", "Setting", "SettingGroup", "render_page"]
