--- A look at what Neovim sends to a server by itself, to add to it or to learn the answer.
---
--- Must not know any method.

local M = {}

--- May change `params`; returns what takes the answer.
---@alias lsp_server.Interceptor fun(params: table, handler: lsp.Handler?): lsp.Handler?

---@type table<integer, table<string, lsp_server.Interceptor>> by client id
local interceptors = {}

---@param client vim.lsp.Client
local function wrap(client)
  local original = client.request
  ---@diagnostic disable-next-line: duplicate-set-field
  client.request = function(...)
    local count, args = select("#", ...), { ... }
    -- Neovim 0.11 allows client.request(…) beside client:request(…).
    local at = type(args[1]) == "string" and 1 or 2
    local interceptor = (interceptors[client.id] or {})[args[at]]
    if interceptor and args[at + 1] then
      args[at + 2] = interceptor(args[at + 1], args[at + 2])
    end
    return original(unpack(args, 1, math.max(count, at + 2)))
  end
end

--- Let a function see each request of a method.
---@param client vim.lsp.Client
---@param method string
---@param interceptor lsp_server.Interceptor
function M.add(client, method, interceptor)
  if not interceptors[client.id] then
    interceptors[client.id] = {}
    wrap(client)
  end
  interceptors[client.id][method] = interceptor
end

--- Forget a client that has ended.
---@param client_id integer
function M.ended(client_id)
  interceptors[client_id] = nil
end

return M
