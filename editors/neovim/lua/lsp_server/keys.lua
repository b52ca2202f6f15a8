--- The keys of ghost text in Insert mode: each does what it always did where there is no ghost text.
---
--- Must not know how ghost text comes or goes.

local fallthrough = require("lsp_server.fallthrough")
local options = require("lsp_server.options")

local M = {}

-- Tab does so much that it is taken even where it is mapped: the mapping is used without ghost text.
local ALWAYS = "accept"

---@param key string|string[]|false
---@return string[]
local function as_list(key)
  if not key or key == "" then
    return {}
  end
  return type(key) == "table" and key or { key }
end

---@param buffer integer
---@param action string a function of `lsp_server`
---@param key string
local function map(buffer, action, key)
  local before = fallthrough.of_buffer(buffer, key)
  local wraps = action == ALWAYS
  if not wraps and (before or fallthrough.of_user(key)) then
    return
  end
  vim.keymap.set("i", key, function()
    local plugin = require("lsp_server")
    if action == "trigger" then
      return plugin.trigger()
    end
    if not plugin[action]() then
      fallthrough.press(key, before)
    end
  end, { buffer = buffer, desc = fallthrough.MARK .. action:gsub("_", " ") })
end

--- Set the keys in a buffer, unless they are set.
---@param buffer integer
function M.begin(buffer)
  local keys = options.get("keys")
  if not keys or vim.b[buffer].lsp_server_keys then
    return
  end
  vim.b[buffer].lsp_server_keys = true
  for action, key in vim.spairs(keys) do
    for _, one in ipairs(as_list(key)) do
      map(buffer, action, one)
    end
  end
end

return M
