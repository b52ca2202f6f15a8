--- Putting accepted text into the buffer: one undo step, repeated by `.`, never formatted.
---
--- Must not know where the text comes from.

local M = {}

---@type (fun(): string?)?
local waiting

-- An entry that is selected is in the text already, and the ghost text goes on from there.
---@return string keys
local function end_of_menu()
  if vim.fn.pumvisible() == 0 then
    return ""
  end
  return vim.fn.complete_info({ "selected" }).selected >= 0 and "<C-y>" or "<C-e>"
end

--- Insert what `text` returns, when Neovim gets to it; it may be called from a mapping with `expr`.
---
--- Keys, because a mapping with `expr` may not change text, and what is typed after the key has to come after it.
---@param text fun(): string? asked at that moment; nil inserts nothing
function M.insert(text)
  waiting = text
  -- <C-g>u begins an undo step.
  local keys = end_of_menu() .. "<C-g>u<Cmd>lua require('lsp_server.ghost.insertion').run()<CR><C-g>u"
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), "in", false)
end

--- Insert what waits.
function M.run()
  local text = waiting and waiting()
  waiting = nil
  if text then
    vim.api.nvim_paste(text, false, -1) -- unlike nvim_put, `.` repeats it
  end
end

return M
