--- What mappings, status lines and other plugins may use; the help file describes it (`:help lsp_server`).

local M = {}

--- Tell whether there is ghost text at the cursor.
---@return boolean
function M.visible()
  return require("lsp_server.ghost").visible()
end

--- Accept the ghost text; false if there is none.
---@return boolean
function M.accept()
  return require("lsp_server.ghost").accept("all")
end

--- Accept the next word of it; false if there is none.
---@return boolean
function M.accept_word()
  return require("lsp_server.ghost").accept("word")
end

--- Accept it up to the end of the line; false if there is none.
---@return boolean
function M.accept_line()
  return require("lsp_server.ghost").accept("line")
end

--- Take the ghost text away and stay in Insert mode; false if there is none.
---@return boolean
function M.dismiss()
  return require("lsp_server.ghost").dismiss()
end

--- Ask for a completion now.
function M.trigger()
  require("lsp_server.ghost").trigger()
end

--- Return a short text for a status line; empty where no server runs. Cheap.
---@return string
function M.status()
  return require("lsp_server.status").text()
end

--- Change options of the running servers, and of those to come: `configure({ completion = { enabled = false } })`.
---@param changes table as in `settings.lsp_server` of `vim.lsp.config`
function M.configure(changes)
  require("lsp_server.settings").change(changes)
end

return M
