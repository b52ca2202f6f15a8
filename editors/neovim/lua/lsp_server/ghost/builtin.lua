--- Ghost text as Neovim 0.12 draws it (`vim.lsp.inline_completion`), with what that lacks.
---
--- Neovim asks and draws. It goes on showing a text for 200 ms and longer when another character was typed, and
--- its own `get` puts an item where it was asked for, even when a part of it was typed since: so this module
--- learns each answer on its way, hides what does not fit, and says what is left of it.

local drawing = require("lsp_server.ghost.drawing")
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

-- What Neovim keeps for a buffer. There is no public function for what is done with it here.
---@param buffer integer
---@return table?
local function completor_of(buffer)
  local ok, capability = pcall(require, "vim.lsp._capability")
  return ok and capability.all.inline_completion.active[buffer] or nil
end

---@param kind integer
local function request(kind)
  local completor = completor_of(vim.api.nvim_get_current_buf())
  if completor and server.client() then
    completor:request(kind)
  end
end

-- Neovim forgets a client that has ended only where every client is enabled, and fails at the next key otherwise.
---@param client_id integer
---@param buffer integer
local function forget(client_id, buffer)
  local completor = completor_of(buffer)
  if completor and completor.client_state[client_id] then
    completor:on_detach(client_id)
    if not next(completor.client_state) then
      completor:destroy()
    end
  end
end

--- Serve a buffer.
---@param client vim.lsp.Client
---@param buffer integer
function M.begin(client, buffer)
  learn(client)
  forget(client.id, buffer) -- a buffer that was given a name has lost the autocommands of what was made before
  -- Other servers' ghost text is not ours to turn on.
  vim.lsp.inline_completion.enable(true, { client_id = client.id, bufnr = buffer })
  local group = vim.api.nvim_create_augroup("lsp_server.ghost." .. buffer, {})
  vim.api.nvim_create_autocmd("LspDetach", {
    group = group,
    buffer = buffer,
    callback = function(event)
      forget(event.data.client_id, buffer)
    end,
  })
  -- After Neovim's own ones, which draw.
  vim.api.nvim_create_autocmd({ "CursorMovedI", "TextChangedI", "TextChangedP" }, {
    group = group,
    buffer = buffer,
    callback = function()
      if not left() then
        hide(buffer)
      end
    end,
  })
  local function limit()
    drawing.limit(NAMESPACE, vim.api.nvim_get_current_win())
  end
  vim.api.nvim_create_autocmd("InsertEnter", { group = group, buffer = buffer, callback = limit })
  if inserting() then
    limit()
  end
  vim.schedule(function() -- when Neovim has taken note of the client
    if inserting() and vim.api.nvim_get_current_buf() == buffer and vim.bo[buffer].modified then
      request(AUTOMATIC) -- typed before the server was there
    end
  end)
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
