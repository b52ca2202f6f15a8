--- Ghost text as Neovim 0.12 draws it (`vim.lsp.inline_completion`), with what that lacks.
---
--- Neovim asks and draws. It goes on showing a text for 200 ms and longer when another character was typed, and
--- its own `get` puts an item where it was asked for, even when a part of it was typed since: so this module
--- learns each answer on its way, hides what does not fit, and says what is left of it.

local intercept = require("lsp_server.intercept")
local server = require("lsp_server.server")
local suggestion = require("lsp_server.ghost.suggestion")

local M = {}

local METHOD = "textDocument/inlineCompletion"
-- The name that Neovim draws under; the same name gives the same id.
local NAMESPACE = vim.api.nvim_create_namespace("nvim.lsp.inline_completion")

local INVOKED, AUTOMATIC = 1, 2

---@type lsp_server.ghost.Suggestion?
local offered
---@type lsp_server.ghost.Place? of the last request
local asked
---@type lsp_server.ghost.Place? of the last request, once it has been answered with nothing
local denied

---@param client vim.lsp.Client
local function learn(client)
  intercept.add(client, METHOD, function(_, handler)
    local place = suggestion.here()
    asked, denied = place, nil
    return function(err, result, context)
      local items = not err and result and (result.items or result) or {}
      offered = items[1] and suggestion.from_item(place, items[1], client.offset_encoding)
      if not offered and place == asked then
        denied = place
      end
      return handler and handler(err, result, context)
    end
  end)
end

---@param buffer integer
local function hide(buffer)
  vim.api.nvim_buf_clear_namespace(buffer, NAMESPACE, 0, -1)
end

---@return boolean
local function inserting()
  return vim.startswith(vim.api.nvim_get_mode().mode, "i")
end

---@return string?
local function left()
  return offered and suggestion.remaining(offered, suggestion.here())
end

-- Neovim has no function for this that is public.
---@param kind integer
local function request(kind)
  local ok, capability = pcall(require, "vim.lsp._capability")
  local completor = ok and capability.all.inline_completion.active[vim.api.nvim_get_current_buf()]
  if completor and server.client() then
    completor:request(kind)
  end
end

--- Serve a buffer.
---@param client vim.lsp.Client
---@param buffer integer
function M.begin(client, buffer)
  local filter = { client_id = client.id }
  if not vim.lsp.inline_completion.is_enabled(filter) then
    learn(client)
    vim.lsp.inline_completion.enable(true, filter)
  end
  -- After Neovim's own ones, which draw.
  vim.api.nvim_create_autocmd({ "CursorMovedI", "TextChangedI", "TextChangedP" }, {
    group = vim.api.nvim_create_augroup("lsp_server.ghost." .. buffer, {}),
    buffer = buffer,
    callback = function()
      if not left() then
        hide(buffer)
      end
    end,
  })
end

--- Return the ghost text; nil if there is none.
---@return string?
function M.text()
  local drawn = #vim.api.nvim_buf_get_extmarks(0, NAMESPACE, 0, -1, { limit = 1 }) > 0
  return drawn and left() or nil
end

--- Take the ghost text away, until Neovim asks again.
function M.dismiss()
  offered = nil
  hide(0)
end

--- Ask once more where nothing came, if the cursor is still there.
function M.ask_again()
  if denied and inserting() and vim.deep_equal(denied, suggestion.here()) then
    request(AUTOMATIC)
  end
end

--- Ask for a completion now.
function M.trigger()
  request(INVOKED)
end

return M
