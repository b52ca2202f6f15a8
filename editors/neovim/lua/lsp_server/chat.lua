--- Chats in Neovim: opening one, the keys of its buffer, and answers that are written into it.
---
--- The server owns what a chat is and writes into it by edits; this module makes an answer one undo step and lets
--- the window follow it. Must not know how edits are made.

local actions = require("lsp_server.actions")
local runs = require("lsp_server.runs")
local server = require("lsp_server.server")

local M = {}

local WIDE = 140 -- columns in which code and a chat have room side by side

---@class lsp_server.Writing an answer that is being written into a buffer
---@field tick? integer of the buffer after the last edit of the server's
---@field cursors table<integer, integer[]> by window, as long as the user leaves them where they were put

---@type table<integer, lsp_server.Writing>
local writing = {}

--- Tell whether a buffer is a chat: it begins as the server lets chats begin.
---@param buffer integer
---@return boolean
function M.is_chat(buffer)
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, 12, false)
  if not (lines[1] or ""):lower():match("^# chat%f[%W]") then
    return false
  end
  return vim.iter(lines):any(function(line)
    return line:lower():match("^> ?system:") ~= nil
  end)
end

--- Make a chat and open it, with a link to lines of this buffer.
---@param lines? lsp_server.Lines
function M.open(lines)
  local client = lines and server.client() or server.any()
  if not client then
    return
  end
  local arguments = {}
  if lines then
    arguments[1] = { uri = vim.uri_from_bufnr(0), range = actions.range(client, lines) }
  end
  server.execute(client, "lsp_server.openChat", arguments)
end

--- Answer window/showDocument: what the server wants the user to write in opens beside the code.
---@param err any
---@param params lsp.ShowDocumentParams
---@param context lsp.HandlerContext
---@return table
function M.on_show_document(err, params, context)
  local buffer = vim.uri_to_bufnr(params.uri)
  if params.takeFocus and not params.external and #vim.fn.win_findbuf(buffer) == 0 then
    vim.cmd(vim.o.columns >= WIDE and "botright vertical new" or "botright new")
    local empty = vim.api.nvim_get_current_buf()
    vim.bo[empty].bufhidden = "wipe"
    vim.bo[empty].buflisted = false
  end
  return vim.lsp.handlers["window/showDocument"](err, params, context)
end

--- Tell whether a server may take a buffer on: chats lie outside of the workspace, and belong to its server.
---@param client vim.lsp.Client
---@param config vim.lsp.ClientConfig
---@return boolean
function M.reuse_client(client, config)
  if client.name ~= config.name or client:is_stopped() then
    return false
  end
  if not config.root_dir and M.is_chat(vim.api.nvim_get_current_buf()) then
    return true
  end
  local function place(of)
    return { of.root_dir or false, of.workspace_folders or false }
  end
  return vim.deep_equal(place(client.config), place(config))
end

---@param buffer integer
local function follow(buffer)
  local cursors = {}
  for _, win in ipairs(vim.fn.win_findbuf(buffer)) do
    cursors[win] = vim.api.nvim_win_get_cursor(win)
  end
  writing[buffer] = { cursors = cursors }
end

--- Send a command of a chat whose answer is written into it.
---@param client vim.lsp.Client
---@param buffer integer
---@param title string
---@param command string
local function ask(client, buffer, title, command)
  local arguments = { { uri = vim.uri_from_bufnr(buffer), wait = true } }
  local last = vim.api.nvim_buf_line_count(buffer) - 1
  local place = { bufnr = buffer, line = last }
  runs.start(client, { title = title, command = command, arguments = arguments }, place, function()
    writing[buffer] = nil
  end)
  follow(buffer) -- a run that is stopped stays here: the server still puts the chat in order
end

--- Run a command of a chat that was chosen in any menu.
---@param command lsp.Command
---@param context lsp.HandlerContext
function M.run(command, context)
  local client = assert(vim.lsp.get_client_by_id(context.client_id))
  local buffer = vim.uri_to_bufnr(command.arguments[1].uri)
  ask(client, buffer, "Chat", command.command)
end

--- Tell whether an answer is being written into a buffer.
---@param buffer integer
---@return boolean
function M.is_answering(buffer)
  return writing[buffer] ~= nil
end

--- Make a change of an answer: part of the undo step of the last one, if nothing came between.
---@param buffer integer
---@param change fun()
function M.write(buffer, change)
  local now = writing[buffer]
  vim.api.nvim_buf_call(buffer, function()
    if now.tick == vim.b[buffer].changedtick then
      pcall(vim.cmd.undojoin)
    end
    change()
  end)
  now.tick = vim.b[buffer].changedtick
  for win, cursor in pairs(now.cursors) do
    local here = vim.api.nvim_win_is_valid(win) and vim.api.nvim_win_get_cursor(win)
    if not here or not vim.deep_equal(here, cursor) then
      now.cursors[win] = nil -- the user has gone elsewhere
    else
      local last = vim.api.nvim_buf_line_count(buffer)
      vim.api.nvim_win_set_cursor(win, { last, 0 })
      now.cursors[win] = vim.api.nvim_win_get_cursor(win)
    end
  end
end

--- Return the client and the buffer of the chat that the cursor is in, or nil after saying that it is none.
---@return vim.lsp.Client?, integer
local function here()
  local buffer = vim.api.nvim_get_current_buf()
  local client = server.client(buffer)
  if client and M.is_chat(buffer) then
    return client, buffer
  end
  vim.notify("This is no chat: `:LspServer chat` opens one", vim.log.levels.WARN)
  return nil, buffer
end

--- Send the question at the end of this chat.
function M.send()
  local client, buffer = here()
  if client then
    ask(client, buffer, "Chat", "lsp_server.chat.send")
  end
end

--- Have the last answer of this chat written anew.
function M.regenerate()
  local client, buffer = here()
  if client then
    ask(client, buffer, "Chat", "lsp_server.chat.regenerate")
  end
end

--- End the answer that is being written; what has come stays.
function M.stop()
  local client, buffer = here()
  if client then
    server.execute(client, "lsp_server.chat.stop", { { uri = vim.uri_from_bufnr(buffer) } })
  end
end

--- Apply the code block under the cursor to the file that it is for, shown first.
function M.apply()
  local client, buffer = here()
  if client then
    local position = vim.lsp.util.make_position_params(0, client.offset_encoding).position
    server.execute(client, "lsp_server.chat.apply", { { uri = vim.uri_from_bufnr(buffer), position = position } })
  end
end

return M
