--- A completion that the server offered for one place, and what is left of it after typing.
---
--- Knows text and cursors only: nothing of requests, and nothing of how it is drawn.

local M = {}

---@class lsp_server.ghost.Place where a completion was asked for
---@field buffer integer
---@field row integer from 0
---@field column integer bytes
---@field line string the whole line
---@field count integer lines of the buffer

---@class lsp_server.ghost.Suggestion
---@field place lsp_server.ghost.Place
---@field text string what goes in at the place, lines end in \n

--- Return where the cursor of the current window is.
---@return lsp_server.ghost.Place
function M.here()
  local buffer = vim.api.nvim_get_current_buf()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  return {
    buffer = buffer,
    row = row - 1,
    column = column,
    line = vim.api.nvim_get_current_line(),
    count = vim.api.nvim_buf_line_count(buffer),
  }
end

--- Return what a server's item offers at a place, or nil if it is not to be shown there.
---
--- Text that the item repeats from before the cursor is left out; one that would take away text after it, or is
--- a snippet, is not for ghost text.
---@param place lsp_server.ghost.Place
---@param item lsp.InlineCompletionItem
---@param encoding string
---@return lsp_server.ghost.Suggestion?
function M.from_item(place, item, encoding)
  local text = item.insertText
  if type(text) ~= "string" then
    return nil
  end
  text = text:gsub("\r\n", "\n")
  local range = item.range
  if range then
    if range.start.line ~= place.row or range["end"].line ~= place.row then
      return nil
    end
    local start = vim.str_byteindex(place.line, encoding, range.start.character, false)
    local stop = vim.str_byteindex(place.line, encoding, range["end"].character, false)
    local repeated = place.line:sub(start + 1, place.column)
    if start > place.column or stop > place.column or not vim.startswith(text, repeated) then
      return nil
    end
    text = text:sub(#repeated + 1)
  end
  return text ~= "" and { place = place, text = text } or nil
end

--- Return what was typed at a place since: nil if anything else has changed, or the cursor is before it.
---@param place lsp_server.ghost.Place
---@param now lsp_server.ghost.Place
---@return string?
local function typed_since(place, now)
  if now.buffer ~= place.buffer or now.row < place.row or now.count - place.count ~= now.row - place.row then
    return nil
  end
  if now.row == place.row and now.column < place.column then
    return nil
  end
  local first = now.row == place.row and now.line
    or vim.api.nvim_buf_get_lines(now.buffer, place.row, place.row + 1, true)[1]
  local unchanged = first:sub(1, place.column) == place.line:sub(1, place.column)
    and now.line:sub(now.column + 1) == place.line:sub(place.column + 1)
  if not unchanged then
    return nil
  end
  local typed = vim.api.nvim_buf_get_text(now.buffer, place.row, place.column, now.row, now.column, {})
  return table.concat(typed, "\n")
end

--- Return what is left of a suggestion at the cursor; nil if it does not fit what was typed, or nothing is left.
---@param suggestion lsp_server.ghost.Suggestion
---@param now lsp_server.ghost.Place
---@return string?
function M.remaining(suggestion, now)
  local typed = typed_since(suggestion.place, now)
  if not typed or not vim.startswith(suggestion.text, typed) or #typed == #suggestion.text then
    return nil
  end
  return suggestion.text:sub(#typed + 1)
end

return M
