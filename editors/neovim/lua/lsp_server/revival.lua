--- Servers that end by themselves are started again, in the same buffers; Neovim does not do that.

local server = require("lsp_server.server")

local M = {}

--- So many ends within so long, and a server is left alone: something is wrong that starting does not cure.
--- The same numbers as those of VS Code's client.
local LIMIT, WITHIN_MS = 5, 180000
--- Before the first new start; twice as long before each further one.
local PAUSE_MS = 250
--- How long a server may take to end when it is asked to.
local PATIENCE_MS = 3000
--- Neovim tells of the end of a server in one of the next turns of its loop, which take long on a busy machine.
local QUIET_MS = 5000

---@class lsp_server.Life what a server needs to be started again
---@field config vim.lsp.ClientConfig
---@field buffers integer[]

---@type table<string, integer[]> when servers ended, by root
local ends = {}
---@type table<integer, boolean> clients that end because they are started again, by id
local restarting = {}
---@type lsp_server.Life[] those left alone
local lost = {}
---@type table<integer, string> what a status line says of a buffer without its server
local missing = {}

---@param life lsp_server.Life
local function start(life)
  for _, buffer in ipairs(life.buffers) do
    missing[buffer] = nil
    if vim.api.nvim_buf_is_loaded(buffer) then
      -- Reuses the client that the first buffer started.
      vim.lsp.start(life.config, { bufnr = buffer })
    end
  end
end

---@param life lsp_server.Life
---@param word string
local function mark(life, word)
  for _, buffer in ipairs(life.buffers) do
    missing[buffer] = word
  end
end

---@param root string
---@return integer how often a server ended lately, this time included
local function count(root)
  local now = vim.uv.now()
  local recent = vim.tbl_filter(function(at)
    return now - at < WITHIN_MS
  end, ends[root] or {})
  table.insert(recent, now)
  ends[root] = recent
  return #recent
end

---@param life lsp_server.Life
local function revive(life)
  local times = count(life.config.root_dir or "")
  if times >= LIMIT then
    mark(life, "ended")
    table.insert(lost, life)
    local text = "lsp_server ended %d times: see :LspServer log, :LspServer restart"
    return vim.notify(text:format(times), vim.log.levels.ERROR)
  end
  mark(life, "restarting")
  vim.defer_fn(function()
    start(life)
  end, PAUSE_MS * 2 ^ (times - 1))
end

-- Neovim tells of the end of a server in a line that is longer than most windows are wide, and waits for a key
-- then, in the middle of what is being typed. Here it is either the status line that tells of it, or `revive`.
local function without_neovims_message()
  local notify = vim.notify
  local function quiet(message, ...)
    if not vim.startswith(message, ("Client %s quit"):format(server.NAME)) then
      return notify(message, ...)
    end
    if vim.notify == quiet then
      vim.notify = notify
    end
  end
  vim.notify = quiet
  vim.defer_fn(function()
    if vim.notify == quiet then
      vim.notify = notify
    end
  end, QUIET_MS)
end

--- Take note that a server has ended, and start it again if nobody wanted that.
---@param client_id integer
---@param code integer
---@param signal integer
function M.exited(client_id, code, signal)
  local client = vim.lsp.get_client_by_id(client_id)
  if not client then
    return
  end
  local config = vim.tbl_extend("force", client.config, { settings = client.settings })
  local life = { config = config, buffers = vim.tbl_keys(client.attached_buffers) }
  -- 15 is how Neovim ends a server that does not end when asked; 143 is what a shell makes of it.
  local crashed = (code ~= 0 and code ~= 143) or (signal ~= 0 and signal ~= 15)
  if crashed then
    without_neovims_message()
  end
  vim.schedule(function()
    if vim.v.exiting ~= vim.NIL then
      return
    end
    require("lsp_server.intercept").ended(client_id)
    require("lsp_server.runs").forget(client_id)
    if restarting[client_id] then
      restarting[client_id] = nil
      start(life)
    elseif crashed and #life.buffers > 0 then
      revive(life)
    end
    require("lsp_server.status").ended(client_id)
  end)
end

--- Start all servers again.
function M.restart()
  ends = {}
  local waiting = lost
  lost = {}
  for _, life in ipairs(waiting) do
    start(life)
  end
  local clients = vim.lsp.get_clients({ name = server.NAME, _uninitialized = true })
  for _, client in ipairs(clients) do
    restarting[client.id] = true
    client:stop()
    vim.defer_fn(function()
      if restarting[client.id] then
        client:stop(true)
      end
    end, PATIENCE_MS)
  end
  if #clients == 0 and #waiting == 0 then
    vim.lsp.enable(server.NAME)
  end
end

--- Return what to say of a buffer whose server has ended; empty for others.
---@param buffer integer
---@return string
function M.text(buffer)
  return missing[buffer] or ""
end

return M
