--- What the server tells the user (window/showMessage), as notifications.
---
--- Neovim's own handler ends each message in a line break, so that each waits for <Enter>.

local M = {}

local LEVELS = {
  [vim.lsp.protocol.MessageType.Error] = vim.log.levels.ERROR,
  [vim.lsp.protocol.MessageType.Warning] = vim.log.levels.WARN,
}

--- Answer the notification.
---@param _ any
---@param params lsp.ShowMessageParams
function M.on_message(_, params)
  local level = LEVELS[params.type] or vim.log.levels.INFO
  vim.notify("codestral-lsp: " .. vim.trim(params.message), level)
end

return M
