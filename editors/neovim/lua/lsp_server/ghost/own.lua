--- Ghost text by this plugin: asks when text was typed, draws before the screen is, drops what no longer fits.
---
--- The server waits between keys (`completion.debounce_ms`) and knows what it has answered; a request for every
--- change is right, and the one before it is cancelled.

local drawing = require("lsp_server.ghost.drawing")
local suggestion = require("lsp_server.ghost.suggestion")
local server = require("lsp_server.server")

local M = {}

local METHOD = "textDocument/inlineCompletion"
local INVOKED, AUTOMATIC = 1, 2

---@type lsp_server.ghost.Suggestion?
local offered
---@type {client: vim.lsp.Client, id: integer}?
local pending
---@type integer[]? where the last request was for: buffer, changedtick, row, column
local asked_last

local function cancel()
  if pending then
    local asked = pending
    pending = nil
    if not asked.client:is_stopped() then
      asked.client:cancel_request(asked.id)
    end
  end
end

---@return boolean
local function inserting()
  return vim.startswith(vim.api.nvim_get_mode().mode, "i")
end

---@param now lsp_server.ghost.Place
---@return string?
local function left(now)
  return offered and inserting() and suggestion.remaining(offered, now) or nil
end

-- Called before Neovim draws the screen, so that ghost text never lags behind what was typed.
local function refresh()
  local now = suggestion.here()
  local text = left(now)
  if text then
    drawing.draw(text, now)
  else
    drawing.clear()
  end
end

---@param place lsp_server.ghost.Place
---@param client vim.lsp.Client
---@param result lsp.InlineCompletionList|lsp.InlineCompletionItem[]|nil
local function answered(place, client, result)
  local items = result and (result.items or result) or {}
  offered = items[1] and suggestion.from_item(place, items[1], client.offset_encoding)
  refresh()
end

---@param place lsp_server.ghost.Place
---@return integer[]
local function mark_of(place)
  return { place.buffer, vim.api.nvim_buf_get_changedtick(place.buffer), place.row, place.column }
end

-- Several events may tell of one change.
---@param place lsp_server.ghost.Place
---@return boolean
local function is_news(place)
  local mark = mark_of(place)
  local news = not vim.deep_equal(mark, asked_last)
  asked_last = mark
  return news
end

---@param kind integer
local function request(kind)
  local place = suggestion.here()
  local client = server.client(place.buffer)
  if not is_news(place) and kind == AUTOMATIC then
    return
  end
  cancel()
  if not client or not inserting() then
    return
  end
  local encoding = client.offset_encoding
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(place.buffer) },
    position = { line = place.row, character = vim.str_utfindex(place.line, encoding, place.column, false) },
    context = { triggerKind = kind },
  }
  local mine
  local sent, id = client:request(METHOD, params, function(err, result)
    if pending == mine then
      pending = nil
      answered(place, client, not err and result or nil)
    end
  end, place.buffer)
  mine = sent and { client = client, id = id } or nil
  pending = mine
end

---@type table<integer, integer> changedtick of buffers when Neovim last waited in Normal mode
local seen = {}

---@param buffer integer
local function saw(buffer)
  seen[buffer] = vim.api.nvim_buf_get_changedtick(buffer)
end

local function forget()
  cancel()
  offered = nil
  drawing.clear()
end

---@param group integer
---@param buffer integer
---@param events string[]
---@param callback fun()
local function on(group, buffer, events, callback)
  vim.api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = callback })
end

--- Serve a buffer.
---@param buffer integer
function M.begin(_, buffer)
  local group = vim.api.nvim_create_augroup("lsp_server.ghost." .. buffer, {})
  on(group, buffer, { "TextChangedI", "TextChangedP" }, function()
    refresh()
    request(AUTOMATIC)
  end)
  on(group, buffer, { "CursorMovedI" }, refresh)
  on(group, buffer, { "InsertEnter" }, function()
    -- Commands such as `o` and `cw` change text before Insert mode begins; `i` only moves the cursor.
    if seen[buffer] ~= vim.api.nvim_buf_get_changedtick(buffer) then
      vim.schedule(function()
        request(AUTOMATIC)
      end)
    end
  end)
  on(group, buffer, { "InsertLeave", "BufLeave", "WinLeave" }, forget)
  on(group, buffer, { "InsertLeave", "TextChanged", "BufEnter" }, function()
    saw(buffer)
  end)
  on(group, buffer, { "BufUnload" }, function()
    seen[buffer] = nil
  end)
  saw(buffer)
  if inserting() and vim.api.nvim_get_current_buf() == buffer and vim.bo[buffer].modified then
    asked_last = nil
    request(AUTOMATIC) -- typed before the server was there
  end
end

--- Return the ghost text; nil if there is none.
---
--- Not what is drawn: of keys that come all at once, Neovim tells when it has taken the last one.
---@return string?
function M.text()
  return left(suggestion.here())
end

--- Ask once more where nothing came, if the cursor is still there.
function M.ask_again()
  local place = suggestion.here()
  if not pending and not left(place) and vim.deep_equal(mark_of(place), asked_last) then
    asked_last = nil
    request(AUTOMATIC)
  end
end

--- Ask for a completion now.
function M.trigger()
  request(INVOKED)
end

--- Take the ghost text away, until something is typed.
function M.dismiss()
  forget()
end

return M
