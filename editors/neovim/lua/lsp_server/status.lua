--- What the servers said about themselves, as a short text for a status line.
---
--- `User LspServerStatus` fires, and status lines are drawn, when the text may have changed.

local loading = require("lsp_server.loading")
local revival = require("lsp_server.revival")
local runs = require("lsp_server.runs")
local server = require("lsp_server.server")

local M = {}

---@class lsp_server.Status the parameters of `$/lsp_server/status`
---@field selected string
---@field backend string
---@field model string
---@field destination string
---@field state "starting"|"loading"|"ready"|"fallback"|"failed"
---@field message string
---@field busy boolean
---@field paused boolean
---@field uri string
---@field withheld string[]

---@type table<integer, lsp_server.Status> by client id
local statuses = {}

--- Return what a server said last.
---@param client_id integer
---@return lsp_server.Status?
function M.of(client_id)
  return statuses[client_id]
end

---@param client_id integer
---@param status lsp_server.Status
---@return string
local function at_work(client_id, status)
  if loading.text(client_id) ~= "" then
    return loading.text(client_id)
  elseif runs.text() ~= "" then
    return runs.text()
  end
  return status.busy and "…" or ""
end

---@param client_id integer
---@param status lsp_server.Status
---@return string
local function in_words(client_id, status)
  -- What is under way says more than the state.
  local state = loading.text(client_id) == "" and status.state or ""
  local withheld = #status.withheld > 0 and status.uri == vim.uri_from_bufnr(0)
  local words = {
    status.backend ~= "" and status.backend or status.selected,
    status.model,
    state ~= "ready" and state or "",
    status.paused and "paused" or "",
    withheld and "withheld" or "",
    at_work(client_id, status),
  }
  local said = vim.tbl_filter(function(word)
    return word ~= ""
  end, words)
  return table.concat(said, " ")
end

--- Return a short text about the server of the current buffer; empty where there is none.
---@return string
function M.text()
  local client = server.client()
  local status = client and statuses[client.id]
  if client and status then
    return in_words(client.id, status)
  end
  return revival.text(vim.api.nvim_get_current_buf())
end

---@type string?
local last

local function redraw()
  local text = M.text()
  if text ~= last then
    last = text
    vim.api.nvim_exec_autocmds("User", { pattern = "LspServerStatus", modeline = false })
    vim.cmd.redrawstatus({ bang = true })
  end
end

---@param status lsp_server.Status?
---@return boolean
local function can_answer(status)
  return status ~= nil and (status.state == "ready" or status.state == "fallback")
end

--- Take a notification; true if the server can answer now, and could not before.
---@param client_id integer
---@param status lsp_server.Status
---@return boolean
function M.received(client_id, status)
  local could = can_answer(statuses[client_id])
  statuses[client_id] = status
  redraw()
  return can_answer(status) and not could
end

--- Forget a server that has ended.
---@param client_id integer
function M.ended(client_id)
  statuses[client_id] = nil
  loading.ended(client_id)
  redraw()
end

--- Follow what servers do. Called when the first buffer of one is attached.
function M.begin()
  local group = vim.api.nvim_create_augroup("lsp_server.status", {})
  vim.api.nvim_create_autocmd("LspProgress", {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == server.NAME and loading.on_progress(client.id, event.data.params) then
        redraw()
        loading.show(client.id) -- after status lines, with which Neovim draws the command line anew
      end
    end,
  })
  vim.api.nvim_create_autocmd("User", { group = group, pattern = "LspServerRun", callback = redraw })
end

return M
