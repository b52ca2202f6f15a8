--- The subcommands of `:LspServer` that are about the server and its ghost text.

local commands = require("lsp_server.commands")
local server = require("lsp_server.server")

require("lsp_server.ui_subcommands")

--- Who presses <Tab> waits no longer than this; the server looks for keys of backends before it answers.
local PATIENCE_MS = 2000

--- Run a command of the server, where there is one.
---@param command string
---@param arguments any[]
---@param on_result? fun(result: any)
local function execute(command, arguments, on_result)
  local client = server.any()
  if client then
    server.execute(client, command, arguments, on_result)
  end
end

---@param status lsp_server.Status
local function tell(status)
  local paused = status.paused and "paused" or ""
  local words = { status.backend, status.state, status.model, status.destination, paused, status.message }
  vim.list_extend(words, status.withheld)
  local said = vim.tbl_filter(function(word)
    return word ~= ""
  end, words)
  vim.notify("codestral-lsp: " .. table.concat(said, ", "))
end

---@param text string Markdown
local function show(text)
  vim.cmd("botright new")
  vim.api.nvim_buf_set_lines(0, 0, -1, true, vim.split(vim.trim(text), "\n"))
  vim.bo.buftype, vim.bo.bufhidden, vim.bo.modifiable = "nofile", "wipe", false
  vim.bo.filetype = "markdown"
  vim.keymap.set("n", "q", vim.cmd.close, { buffer = true, desc = "codestral-lsp: close" })
end

--- Return the names that can be chosen; the command line waits for them.
---@return string[]
local function backends()
  local client = server.any()
  local params = { command = "lsp_server.backends" }
  local asked = client and client:request_sync("workspace/executeCommand", params, PATIENCE_MS)
  local choices = asked and asked.result and asked.result.choices or {}
  return vim.tbl_map(function(choice)
    return choice.name
  end, choices)
end

commands.register("status", {
  summary = "Say who answers, and how the server is",
  run = function()
    execute("lsp_server.status", {}, tell)
  end,
})

commands.register("backend", {
  summary = "Choose who answers, or use the one that is named, until the server ends",
  run = function(call)
    -- Without a name the server asks the user, through vim.ui.select.
    execute("lsp_server.selectBackend", call.args)
  end,
  complete = function(_, args)
    return #args == 0 and backends() or {}
  end,
})

commands.register("pause", {
  summary = "Show no ghost text unless asked for; a number: for so many minutes",
  run = function(call)
    local minutes = tonumber(call.args[1])
    if call.args[1] and not (minutes and minutes > 0) then
      return vim.notify("LspServer pause: how many minutes? " .. call.args[1], vim.log.levels.ERROR)
    end
    execute("lsp_server.pause", { { paused = true, minutes = minutes } })
  end,
})

commands.register("resume", {
  summary = "Show ghost text again",
  run = function()
    execute("lsp_server.pause", { { paused = false } })
  end,
})

commands.register("stats", {
  summary = "Show how many completions came, how fast, and how many were accepted",
  run = function()
    execute("lsp_server.stats", {}, function(stats)
      show(stats.markdown)
    end)
  end,
})

commands.register("set", {
  summary = "Change an option of the server now: set completion.enabled false",
  run = function(call)
    local name, value = call.args[1], table.concat(call.args, " ", 2)
    if not name or value == "" then
      return vim.notify("LspServer set: which option, and which value?", vim.log.levels.ERROR)
    end
    local settings = require("lsp_server.settings")
    settings.set(name, settings.value(value))
  end,
  complete = function(_, args)
    return #args == 0 and require("lsp_server.settings").names() or {}
  end,
})

commands.register("doctor", {
  summary = "Check the installation, the configuration and the model",
  run = function()
    vim.cmd("botright new")
    vim.fn.jobstart({ server.executable(), "doctor" }, { term = true })
  end,
})

commands.register("log", {
  summary = "Open what the server wrote to the log",
  run = function()
    vim.cmd.split(vim.fn.fnameescape(vim.lsp.log.get_filename()))
    vim.cmd("normal! G")
  end,
})

commands.register("restart", {
  summary = "Start the server again",
  run = function()
    require("lsp_server.revival").restart()
  end,
})

for name, summary in pairs({
  accept = "Accept the ghost text",
  accept_word = "Accept the next word of the ghost text",
  accept_line = "Accept the ghost text up to the end of the line",
  dismiss = "Take the ghost text away",
  trigger = "Ask for a completion now",
}) do
  commands.register(name, {
    summary = summary .. " (in Insert mode: <Cmd>LspServer " .. name .. "<CR>)",
    run = function()
      require("lsp_server")[name]()
    end,
  })
end
