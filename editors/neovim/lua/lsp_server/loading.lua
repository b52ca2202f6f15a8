--- How far a model is that is being fetched or loaded, in the command line and for a status line.
---
--- Runs that a user can stop are not of this kind: see `runs`.

local options = require("lsp_server.options")

local M = {}

---@type table<integer, table<lsp.ProgressToken, string>> by client id
local texts = {}

---@param value {message: string?, percentage: integer?}
---@return string
local function in_words(value)
  local percentage = value.percentage and (" %d %%"):format(value.percentage) or ""
  return (value.message or "") .. percentage
end

-- In the command line, without a place in :messages, and never so long that Neovim asks to press a key.
---@param text string
local function echo(text)
  if not options.get("progress") or vim.fn.mode():sub(1, 1) == "c" then
    return
  end
  local room = vim.v.echospace
  if vim.fn.strdisplaywidth(text) > room then
    text = vim.fn.strcharpart(text, 0, room - 1) .. "…"
  end
  vim.api.nvim_echo({ { text } }, false, {})
end

--- Take a progress notification; false if it is about something else.
---@param client_id integer
---@param params lsp.ProgressParams
---@return boolean
function M.on_progress(client_id, params)
  local value = params.value
  local mine = texts[client_id] or {}
  texts[client_id] = mine
  if type(value) ~= "table" or (value.kind == "begin" and value.cancellable) then
    return false
  elseif value.kind ~= "begin" and not mine[params.token] then
    return false
  end
  mine[params.token] = value.kind ~= "end" and in_words(value) or nil
  return true
end

--- Show in the command line what is under way, or that nothing is any more.
---@param client_id integer
function M.show(client_id)
  local text = M.text(client_id)
  echo(text ~= "" and "codestral-lsp: " .. text or "")
end

--- Return what is under way; empty if nothing is.
---@param client_id integer
---@return string
function M.text(client_id)
  local _, text = next(texts[client_id] or {})
  return text or ""
end

--- Forget a server that has ended.
---@param client_id integer
function M.ended(client_id)
  texts[client_id] = nil
end

return M
