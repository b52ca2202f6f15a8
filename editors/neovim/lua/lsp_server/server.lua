--- The running servers: which one serves a buffer, and its commands.
---
--- Must not know what the answers are for.

local M = {}

--- Of the configuration (`vim.lsp.enable`), the section of the settings, and the executable.
M.NAME = "lsp_server"

--- Return the client that serves a buffer, if there is one.
---@param buffer? integer the current one if not given
---@return vim.lsp.Client?
function M.client(buffer)
  return vim.lsp.get_clients({ bufnr = buffer or 0, name = M.NAME })[1]
end

--- Return the client of a buffer, or any other, or nil after telling the user that there is none.
---@return vim.lsp.Client?
function M.any()
  local client = M.client() or vim.lsp.get_clients({ name = M.NAME })[1]
  if not client then
    vim.notify("No codestral-lsp server is running here: see :checkhealth lsp_server", vim.log.levels.WARN)
  end
  return client
end

--- Return the program that is the server.
---@return string
function M.executable()
  local config = vim.lsp.config[M.NAME]
  local command = config and config.cmd
  return type(command) == "table" and command[1] or M.NAME
end

--- Run a command of the server; errors are shown.
---@param client vim.lsp.Client
---@param command string such as `lsp_server.status`
---@param arguments any[]
---@param on_result? fun(result: any)
function M.execute(client, command, arguments, on_result)
  local params = { command = command, arguments = arguments }
  client:request("workspace/executeCommand", params, function(err, result)
    if err then
      vim.notify(err.message, vim.log.levels.ERROR)
    elseif on_result then
      on_result(result)
    end
  end)
end

return M
