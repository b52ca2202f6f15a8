--- The options of the server, changed while it runs.
---
--- Must not know which options there are: the server says what is wrong with them.

local server = require("lsp_server.server")

local M = {}

--- Give options to all servers, and to those that start later.
---@param changes table as below `settings.lsp_server`
function M.change(changes)
  vim.validate("changes", changes, "table")
  local settings = { [server.NAME] = changes }
  vim.lsp.config(server.NAME, { settings = settings })
  for _, client in ipairs(vim.lsp.get_clients({ name = server.NAME })) do
    client.settings = vim.tbl_deep_extend("force", client.settings, settings)
    client:notify("workspace/didChangeConfiguration", { settings = client.settings })
  end
end

--- Return what a word of the command line means: JSON if it is any, else text.
---@param word string
---@return any
function M.value(word)
  local ok, value = pcall(vim.json.decode, word)
  if ok then
    return value
  end
  return word
end

--- Change one option.
---@param name string such as `completion.enabled`
---@param value any
function M.set(name, value)
  local changes = value
  for part in vim.iter(vim.split(name, ".", { plain = true })):rev() do
    changes = { [part] = changes }
  end
  M.change(changes)
end

---@type string[]?
local names

--- Return the names of all options, as the installed server has them.
---@return string[]
function M.names()
  if not names then
    local asked = vim.system({ server.executable(), "settings", "--json" }, { text = true }):wait(5000)
    local ok, options = pcall(vim.json.decode, asked.stdout or "")
    names = ok and asked.code == 0 and vim.tbl_keys(options) or nil
  end
  return names or {}
end

return M
