--- How much of a completion is accepted at once. Pure text.

local M = {}

-- Space before it (line ends included), then a run of 'iskeyword' characters, or of other ones.
local WORD = [[^\_s*\%(\k\+\|\%(\k\|\s\)\@!.\%(\%(\k\|\s\)\@!.\)*\)]]

---@alias lsp_server.ghost.Part "all"|"word"|"line"

--- Return the first word, line, or all of a text, never nothing.
---@param text string not empty
---@param part lsp_server.ghost.Part
---@return string
function M.first(text, part)
  local found = text
  if part == "word" then
    found = vim.fn.matchstr(text, WORD)
  elseif part == "line" then
    found = text:match("^\n*[^\n]*")
  end
  return found ~= "" and found or text
end

return M
