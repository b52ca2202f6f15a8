--- What a model is at work on for the user: actions and chat answers, from the command to their end.
---
--- Owns progress tokens, the text beside the line that was asked about, and stopping. Must not know what an
--- action does. Every change fires the autocommand `User LspServerRun`.

local M = {}

---@class lsp_server.Run
---@field client_id integer
---@field token lsp.ProgressToken
---@field title string
---@field message? string
---@field request_id? integer of the command, if it was sent from here
---@field bufnr? integer
---@field mark? integer

---@class lsp_server.Place
---@field bufnr integer
---@field line integer from 0

---@type lsp_server.Run[]
local runs = {}
local namespace = vim.api.nvim_create_namespace("lsp_server.runs")
local tokens = 0

---@param client_id integer
---@param token lsp.ProgressToken
---@return lsp_server.Run?
local function find(client_id, token)
  for _, run in ipairs(runs) do
    if run.client_id == client_id and run.token == token then
      return run
    end
  end
end

--- Return how a run is shown in one line.
---@param run lsp_server.Run
---@return string
local function line_of(run)
  local message = run.message and run.message ~= "" and (": " .. run.message) or ""
  return (("%s%s"):format(run.title, message):gsub("%s+", " "))
end

---@param run lsp_server.Run
local function draw(run)
  if not (run.bufnr and vim.api.nvim_buf_is_valid(run.bufnr) and run.mark) then
    return
  end
  local place = vim.api.nvim_buf_get_extmark_by_id(run.bufnr, namespace, run.mark, {})
  if place[1] then
    vim.api.nvim_buf_set_extmark(run.bufnr, namespace, place[1], 0, {
      id = run.mark,
      virt_text = { { "  … " .. line_of(run), "LspServerProgress" } },
      virt_text_pos = "eol",
      hl_mode = "combine",
    })
  end
end

---@param run lsp_server.Run
local function announce(run)
  draw(run)
  vim.api.nvim_exec_autocmds("User", {
    pattern = "LspServerRun",
    modeline = false,
    data = { token = run.token, title = run.title, message = run.message, running = #runs },
  })
end

---@param run lsp_server.Run
local function unmark(run)
  if run.bufnr and run.mark and vim.api.nvim_buf_is_valid(run.bufnr) then
    vim.api.nvim_buf_del_extmark(run.bufnr, namespace, run.mark)
  end
  run.mark = nil
end

---@param run lsp_server.Run
local function add(run)
  runs[#runs + 1] = run
  announce(run)
end

---@param run lsp_server.Run
local function remove(run)
  for at, other in ipairs(runs) do
    if other == run then
      table.remove(runs, at)
    end
  end
  unmark(run)
  announce(run)
end

--- Put a mark beside a line, which goes where the line goes.
---@param run lsp_server.Run
---@param place lsp_server.Place
local function mark(run, place)
  local last = vim.api.nvim_buf_line_count(place.bufnr) - 1
  run.bufnr = place.bufnr
  run.mark = vim.api.nvim_buf_set_extmark(place.bufnr, namespace, math.min(place.line, last), 0, {})
end

--- Take the text beside the line away: how far the run is can be seen elsewhere.
---@param token lsp.ProgressToken
function M.hide(token)
  for _, run in ipairs(runs) do
    if run.token == token then
      unmark(run)
    end
  end
end

--- Send a command that runs a model, and show beside `place` how far it is.
---@param client vim.lsp.Client
---@param command lsp.Command
---@param place lsp_server.Place
---@param on_result? fun(result: table) not called for a run that was stopped
---@return lsp.ProgressToken
function M.start(client, command, place, on_result)
  tokens = tokens + 1
  -- Given with the command, so that the run can be told from others before it says anything.
  local token = ("nvim-%d-%d"):format(vim.fn.getpid(), tokens)
  ---@type lsp_server.Run
  local run = { client_id = client.id, token = token, title = command.title }
  mark(run, place)
  local params = { command = command.command, arguments = command.arguments, workDoneToken = token }
  local sent, request_id = client:request("workspace/executeCommand", params, function(err, result)
    remove(run)
    if err then
      vim.notify(("codestral-lsp: %s"):format(err.message), vim.log.levels.ERROR)
    elseif on_result and type(result) == "table" then
      on_result(result)
    end
  end, place.bufnr)
  if sent then
    run.request_id = request_id
    add(run)
  else
    vim.notify("codestral-lsp: the server does not run: see :LspServer log", vim.log.levels.WARN)
  end
  return token
end

--- Take note of a progress notification of the server.
---@param client_id integer
---@param params lsp.ProgressParams
function M.on_progress(client_id, params)
  local value, run = params.value, find(client_id, params.token)
  if type(value) ~= "table" then
    return
  elseif value.kind == "begin" and not run and value.cancellable then
    add({ client_id = client_id, token = params.token, title = value.title, message = value.message })
  elseif run and value.kind == "end" then
    remove(run)
  elseif run then
    run.title, run.message = value.title or run.title, value.message or run.message
    announce(run)
  end
end

---@param run lsp_server.Run
local function stop(run)
  local client = vim.lsp.get_client_by_id(run.client_id)
  if client and run.request_id and client.requests[run.request_id] then
    -- Neovim does not call back for a request that was cancelled.
    client:cancel_request(run.request_id)
  elseif client then
    client:notify("window/workDoneProgress/cancel", { token = run.token })
  end
  remove(run)
end

--- End one run, or all of them; return how many that were.
---@param token? lsp.ProgressToken
---@return integer
function M.stop(token)
  local stopped = 0
  for _, run in ipairs(vim.list_slice(runs)) do
    if token == nil or run.token == token then
      stop(run)
      stopped = stopped + 1
    end
  end
  return stopped
end

--- Forget the runs of a server that has ended.
---@param client_id integer
function M.forget(client_id)
  for _, run in ipairs(vim.list_slice(runs)) do
    if run.client_id == client_id then
      remove(run)
    end
  end
end

--- Tell whether a run is under way.
---@param token lsp.ProgressToken
---@return boolean
function M.is_running(token)
  return M.message(token) ~= nil
end

--- Return what a run says of itself; nil when it is over.
---@param token lsp.ProgressToken
---@return string?
function M.message(token)
  for _, run in ipairs(runs) do
    if run.token == token then
      return run.message or ""
    end
  end
end

--- Return what runs, for a status line; empty when nothing does.
---@return string
function M.text()
  local last = runs[#runs]
  if not last then
    return ""
  end
  return line_of(last) .. (#runs > 1 and (" (+%d)"):format(#runs - 1) or "")
end

return M
