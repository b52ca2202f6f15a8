"""What is on the screen of a window, read from the page of VS Code 1.139 by the names of its elements."""

from __future__ import annotations

from playwright.sync_api import Error, Page

GHOST = r"""() => {
  const plain = (node) => node.textContent.replace(/\u00a0/g, ' ').replace(/\u200b/g, '');
  const top = (line) => parseFloat(line.style.top || '0');
  const byHeight = (lines) => [...lines].sort((one, other) => top(one) - top(other));
  const shown = [];
  const editors = '.editor-instance .monaco-editor, .notebookOverlay .cell .monaco-editor';
  for (const editor of document.querySelectorAll(editors)) {
    for (const line of byHeight(editor.querySelectorAll('.lines-content > .view-lines > .view-line'))) {
      // A decoration is drawn as one span per colour, and may stand in several places of the line.
      const parts = [...line.querySelectorAll('.ghost-text-decoration, .ghost-text-decoration-preview')];
      if (parts.length) shown.push(parts.map(plain).join(''));
    }
    for (const block of editor.querySelectorAll('.suggest-preview-text')) {
      for (const line of byHeight(block.querySelectorAll('.view-line'))) shown.push(plain(line));
    }
  }
  return shown.join('\n');
}"""

PREVIEW = r"""(apply) => {
  const button = document.querySelector(apply);
  if (!button || !button.checkVisibility()) return '';
  const top = (line) => parseFloat(line.style.top || '0');
  // Between them, in a narrow editor, stand the lines that go, in blocks of their own.
  const side = '.monaco-diff-editor .editor.modified .lines-content > .view-lines > .view-line';
  const lines = [...document.querySelectorAll(side)];
  lines.sort((one, other) => top(one) - top(other));
  return lines.map((line) => line.textContent.replace(/\u00a0/g, ' ')).join('\n');
}"""
"""The proposed side of the extension's comparison, which has a button to apply it in the editor's title."""

STATUS_ITEM = '.statusbar-item[id^="codestral-lsp.codestral-lsp"]'
"""Ours: ids begin with the extension's."""

MENU = ".action-widget"
NOTICE_BUTTON = ".notification-toast .monaco-button"
LENS = ".codelens-decoration a"
QUICK_INPUT = ".quick-input-widget"
SUGGESTION = ".suggest-widget.visible .monaco-list-row"
CELL = ".notebookOverlay .code-cell-row .monaco-editor .view-lines"
SETTING = ".settings-editor .setting-item-label"
RUNNING = ".runtime-extensions-editor .extension"
IN_TEXT = "() => document.activeElement?.closest('.editor-instance .monaco-editor') != null"
SECRET = f"{QUICK_INPUT} input[type=password]"
APPLY = ".editor-actions [aria-label^='Apply (']"
TRUST = ".monaco-dialog-box .monaco-button:has-text('{answer}, I ')"


def rendered_markdown(page: Page) -> str:
    """Return the text of the Markdown preview; it is drawn in a frame within a frame."""
    for frame in page.frames:
        try:
            text = frame.evaluate("() => document.querySelector('.markdown-body')?.innerText ?? ''")
        except Error:  # the frame is on its way out, or not there yet
            continue
        if text:
            return str(text)
    return ""
