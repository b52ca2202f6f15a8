--- What happens when a server begins to serve a buffer.

local M = {}

---@type table<integer, boolean> clients that were seen before
local known = {}

--- Set up the buffer; and the client, when it is seen for the first time.
---@param client vim.lsp.Client
---@param buffer integer
function M.begin(client, buffer)
  if not known[client.id] then
    known[client.id] = true
    require("lsp_server.options").check()
    require("lsp_server.diagnostics").add_to_requests(client)
    require("lsp_server.status").begin()
    require("lsp_server.interface").begin()
  end
  require("lsp_server.ghost").begin(client, buffer)
  require("lsp_server.keys").begin(buffer)
  require("lsp_server.chat_keys").begin(buffer)
end

return M
