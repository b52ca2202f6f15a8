--- What the server tells the user (window/showMessage), as notifications that wait for no key.
---
--- Neovim's own handler ends each message in a line break, and what does not fit asks for <Enter>.

local M = {}

local LEVELS = {
  [vim.lsp.protocol.MessageType.Error] = vim.log.levels.ERROR,
  [vim.lsp.protocol.MessageType.Warning] = vim.log.levels.WARN,
}
local COLOURS = { [vim.log.levels.ERROR] = "ErrorMsg", [vim.log.levels.WARN] = "WarningMsg" }

--- Tell whether `vim.notify` is Neovim's own; plugins put theirs in its place.
---@return boolean
local function is_plain()
  local source = debug.getinfo(vim.notify, "S").source
  return vim.startswith(source, "@vim/_") or vim.endswith(source, "?") -- compiled into Neovim, from 0.12 on
end

--- Show a message, the middle left out where it is too long; `:messages` has all of it.
---@param message string
---@param level integer
local function echo(message, level)
  local before = vim.o.shortmess
  vim.opt.shortmess:append("T") -- which `:echomsg` heeds and nvim_echo() does not
  vim.cmd(("echohl %s | echomsg %s | echohl None"):format(COLOURS[level] or "None", vim.fn.string(message)))
  vim.o.shortmess = before
end

--- Answer the notification.
---@param _ any
---@param params lsp.ShowMessageParams
function M.on_message(_, params)
  local level = LEVELS[params.type] or vim.log.levels.INFO
  local message = vim.trim(params.message)
  if is_plain() then
    echo((message:gsub("%s+", " ")), level)
  else
    vim.notify(message, level)
  end
end

return M
