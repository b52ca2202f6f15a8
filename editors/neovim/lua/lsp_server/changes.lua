--- What an edit changes, as lines to look at. Must not know windows.

local M = {}

local CONTEXT = 3 -- lines around a change, as `diff -u` shows

---@alias lsp_server.RowKind "same"|"added"|"removed"

---@class lsp_server.Row
---@field text string
---@field kind lsp_server.RowKind
---@field line integer of the old text for what was removed, else of the new one; from 1
---@field gap? boolean lines are left out before this one

--- Return the lines that a file has, in a buffer or on the disk.
---@param uri string
---@return string[]
local function lines_of(uri)
  local bufnr = vim.uri_to_bufnr(uri)
  if vim.api.nvim_buf_is_loaded(bufnr) then
    return vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  end
  local path = vim.uri_to_fname(uri)
  local lines = vim.uv.fs_stat(path) and vim.fn.readfile(path) or {}
  return vim.tbl_map(function(line)
    return (line:gsub("\r$", ""))
  end, lines)
end

--- Return the lines with edits applied.
---@param lines string[]
---@param edits lsp.TextEdit[]
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return string[]
local function edited(lines, edits, encoding)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.lsp.util.apply_text_edits(vim.deepcopy(edits), bufnr, encoding)
  local found = vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  vim.api.nvim_buf_delete(bufnr, { force = true })
  return found
end

---@param old string[]
---@param new string[]
---@return integer[][]
local function hunks(old, new)
  local diff = vim.text and vim.text.diff or vim.diff -- renamed in Neovim 0.12
  local function joined(lines)
    return #lines == 0 and "" or table.concat(lines, "\n") .. "\n"
  end
  return diff(joined(old), joined(new), { result_type = "indices", algorithm = "histogram" }) --[[@as integer[][] ]]
end

--- Return all lines of two texts, in the order of a diff.
---@param old string[]
---@param new string[]
---@return lsp_server.Row[]
local function aligned(old, new)
  ---@type lsp_server.Row[]
  local rows = {}
  local function add(kind, lines, first, last)
    for at = first, last do
      rows[#rows + 1] = { text = lines[at], kind = kind, line = at }
    end
  end
  local shown = 0 -- up to which line of the new text
  for _, hunk in ipairs(hunks(old, new)) do
    local old_start, old_count, new_start, new_count = unpack(hunk)
    local before = new_count == 0 and new_start or new_start - 1 -- a hunk of no lines starts at the line before
    add("same", new, shown + 1, before)
    add("removed", old, old_start, old_start + old_count - 1)
    add("added", new, new_start, before + new_count)
    shown = before + new_count
  end
  add("same", new, shown + 1, #new)
  return rows
end

--- Return the changed lines of a file with some around them.
---@param file lsp_server.FileEdit
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return lsp_server.Row[]
function M.rows(file, encoding)
  local old = file.creates and {} or lines_of(file.uri)
  local new = edited(old, file.edits, encoding)
  if file.creates and new[#new] == "" then
    new[#new] = nil -- a text ends in a line break, and no line follows it
  end
  local all = aligned(old, new)
  local near = {} ---@type table<integer, true>
  for at, row in ipairs(all) do
    if row.kind ~= "same" then
      for close = at - CONTEXT, at + CONTEXT do
        near[close] = true
      end
    end
  end
  ---@type lsp_server.Row[]
  local rows = {}
  for at, row in ipairs(all) do
    if near[at] then
      row.gap = #rows > 0 and not near[at - 1]
      rows[#rows + 1] = row
    end
  end
  return rows
end

return M
