--- Ghost text: one face for the own one and the one that is built into Neovim 0.12.

local insertion = require("lsp_server.ghost.insertion")
local options = require("lsp_server.options")
local parts = require("lsp_server.ghost.parts")

local M = {}

--- Tell who draws ghost text here.
---@return "builtin"|"own"|false
function M.kind()
  local wanted = options.get("ghost")
  if wanted == false or wanted == "own" then
    return wanted
  end
  return vim.lsp.inline_completion and "builtin" or "own"
end

---@return table?
local function chosen()
  local kind = M.kind()
  return kind and require("lsp_server.ghost." .. kind) or nil
end

--- Serve a buffer.
---@param client vim.lsp.Client
---@param buffer integer
function M.begin(client, buffer)
  local drawer = chosen()
  if drawer then
    drawer.begin(client, buffer)
  end
end

--- Tell whether there is ghost text at the cursor.
---@return boolean
function M.visible()
  local drawer = chosen()
  return drawer ~= nil and drawer.text() ~= nil
end

--- Accept it, or a part of it; false if there is none.
---@param part lsp_server.ghost.Part
---@return boolean
function M.accept(part)
  local drawer = chosen()
  if not drawer or not drawer.text() then
    return false
  end
  insertion.insert(function()
    local text = drawer.text()
    return text and parts.first(text, part)
  end)
  return true
end

--- Take it away and stay in Insert mode; false if there is none.
---@return boolean
function M.dismiss()
  local drawer = chosen()
  if not drawer or not drawer.text() then
    return false
  end
  drawer.dismiss()
  return true
end

--- Ask once more where nothing came: the server could not answer then, and can now.
function M.ask_again()
  local drawer = chosen()
  if drawer then
    drawer.ask_again()
  end
end

--- Ask for a completion now, also where none comes by itself.
function M.trigger()
  local drawer = chosen()
  if drawer then
    drawer.trigger()
  end
end

return M
