--- Ghost text on the screen, as virtual text of one extmark.
---
--- Knows how Neovim shows virtual text. Must not know where the text comes from.

local M = {}

--- Tests and other plugins may look for the text here.
M.NAMESPACE = vim.api.nvim_create_namespace("lsp_server.ghost")

local HIGHLIGHT = "LspServerGhost"

---@type {buffer: integer, window: integer, mark: integer}?
local drawn

-- Virtual text shows a tab as it stands, one cell wide.
---@param text string
---@param column integer display column that the text begins at
---@return string
local function without_tabs(text, column)
  if not text:find("\t", 1, true) then
    return text
  end
  local pieces = {}
  for before, tab in text:gmatch("([^\t]*)(\t?)") do
    local width = vim.fn.strdisplaywidth(before .. tab, column)
    local blank = tab ~= "" and width - vim.fn.strdisplaywidth(before, column) or 0
    table.insert(pieces, before .. (" "):rep(blank))
    column = column + width
  end
  return table.concat(pieces)
end

--- Have a namespace shown in one window: others on the buffer show no ghost text of a cursor that is not theirs.
---@param namespace integer
---@param window integer
function M.limit(namespace, window)
  if vim.api.nvim__ns_set then -- experimental
    pcall(vim.api.nvim__ns_set, namespace, { wins = { window } })
  end
end

--- Draw text at the cursor of the current window, in place of what was drawn.
---@param text string
---@param now lsp_server.ghost.Place
function M.draw(text, now)
  local window = vim.api.nvim_get_current_win()
  if drawn and (drawn.buffer ~= now.buffer or drawn.window ~= window) then
    M.clear()
  end
  if not drawn then
    M.limit(M.NAMESPACE, window)
  end
  local lines = vim.split(text, "\n", { plain = true })
  local column = vim.fn.strdisplaywidth(now.line:sub(1, now.column))
  local first = without_tabs(table.remove(lines, 1), column)
  local below = vim.tbl_map(function(line)
    return { { without_tabs(line, 0), HIGHLIGHT } }
  end, lines)
  local mark = vim.api.nvim_buf_set_extmark(now.buffer, M.NAMESPACE, now.row, now.column, {
    id = drawn and drawn.mark,
    virt_text = first ~= "" and { { first, HIGHLIGHT } } or nil,
    virt_text_pos = "inline",
    virt_lines = below,
    virt_lines_overflow = vim.wo[window].wrap and "trunc" or "scroll",
    hl_mode = "combine",
    undo_restore = false,
  })
  drawn = { buffer = now.buffer, window = window, mark = mark }
end

--- Take the text away.
function M.clear()
  if drawn then
    if vim.api.nvim_buf_is_valid(drawn.buffer) then
      vim.api.nvim_buf_del_extmark(drawn.buffer, M.NAMESPACE, drawn.mark)
    end
    drawn = nil
  end
end

return M
