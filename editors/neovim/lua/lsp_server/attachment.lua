--- What happens when a server begins to serve a buffer.

local M = {}

---@type table<integer, boolean> clients that were seen before
local known = {}
---@type table<integer, string> of buffers, as the server knows them
local uris = {}

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
  uris[buffer] = vim.uri_from_bufnr(buffer)
  require("lsp_server.ghost").begin(client, buffer)
  require("lsp_server.keys").begin(buffer)
  require("lsp_server.chat_keys").begin(buffer)
end

--- Attach the server anew to a buffer that was given a name: Vim takes its autocommands away then, and Neovim's
--- client does not tell the server of the name.
---@param buffer integer
function M.renew(buffer)
  local client = uris[buffer] and require("lsp_server.server").client(buffer)
  if client and uris[buffer] ~= vim.uri_from_bufnr(buffer) then
    client:notify("textDocument/didClose", { textDocument = { uri = uris[buffer] } })
    vim.lsp.buf_detach_client(buffer, client.id)
    vim.lsp.buf_attach_client(buffer, client.id)
  end
end

return M
