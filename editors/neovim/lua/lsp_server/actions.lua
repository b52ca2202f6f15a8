--- Code actions by name, for a place or a range, and the commands of the menu that run a model.
---
--- Whatever menu an action was chosen in, it comes through `run`, which knows its progress and can end it. Must not
--- know which actions there are: the server says what makes sense at a place.

local explanation = require("lsp_server.explanation")
local runs = require("lsp_server.runs")
local server = require("lsp_server.server")

local M = {}

local RUN = "lsp_server.runAction"
local PATIENCE_MS = 500 -- while a command line is completed; the server answers in a few

---@alias lsp_server.Lines {first: integer, last: integer} from 1

--- Return the range that lines stand for: the selection, if it is these lines and ends within one.
---@param client vim.lsp.Client
---@param lines? lsp_server.Lines the place of the cursor without
---@return lsp.Range
function M.range(client, lines)
  if not lines then
    return vim.lsp.util.make_range_params(0, client.offset_encoding).range
  end
  local first, last = vim.api.nvim_buf_get_mark(0, "<"), vim.api.nvim_buf_get_mark(0, ">")
  if vim.fn.visualmode() == "v" and first[1] == lines.first and last[1] == lines.last then
    local text = vim.api.nvim_buf_get_lines(0, last[1] - 1, last[1], false)[1] or ""
    if last[2] < #text then -- `$` selects the line break as well: then the lines are meant
      local params = vim.lsp.util.make_given_range_params(first, last, 0, client.offset_encoding)
      return params.range
    end
  end
  -- A range may end behind the last line: that is its end.
  return { start = { line = lines.first - 1, character = 0 }, ["end"] = { line = lines.last, character = 0 } }
end

---@param client vim.lsp.Client
---@param lines? lsp_server.Lines
---@return lsp.CodeActionParams
local function menu_params(client, lines)
  return {
    textDocument = vim.lsp.util.make_text_document_params(0),
    range = M.range(client, lines),
    context = { diagnostics = {}, triggerKind = vim.lsp.protocol.CodeActionTriggerKind.Invoked },
  }
end

---@param entry lsp.Command|lsp.CodeAction
---@return lsp.Command
local function command_of(entry)
  return type(entry.command) == "table" and entry.command or entry --[[@as lsp.Command]]
end

---@param entry lsp.Command|lsp.CodeAction
---@return string?
local function id_of(entry)
  local command = command_of(entry)
  return command.command == RUN and command.arguments[1].action or nil
end

--- Return the entry that a name stands for: an id, or the beginning of a title.
---@param menu (lsp.Command|lsp.CodeAction)[]
---@param name string
---@return (lsp.Command|lsp.CodeAction)?
local function named(menu, name)
  for _, entry in ipairs(menu) do
    if id_of(entry) == name then
      return entry
    end
  end
  for _, entry in ipairs(menu) do
    if vim.startswith(entry.title:lower(), name:lower()) then
      return entry
    end
  end
end

--- Ask for what makes sense at a place.
---@param lines? lsp_server.Lines
---@param on_menu fun(client: vim.lsp.Client, menu: (lsp.Command|lsp.CodeAction)[])
local function ask_menu(lines, on_menu)
  local client = server.client()
  if not client then
    vim.notify("codestral-lsp does not serve this buffer: see :checkhealth lsp_server", vim.log.levels.WARN)
    return
  end
  client:request("textDocument/codeAction", menu_params(client, lines), function(err, menu)
    if err then
      vim.notify(err.message, vim.log.levels.ERROR)
    else
      on_menu(client, menu or {})
    end
  end, 0)
end

--- Run the action of this name, or the one that the user chooses when there is no name.
---@param name? string an id such as `explain`, or how a title begins
---@param lines? lsp_server.Lines
function M.choose(name, lines)
  local buffer = vim.api.nvim_get_current_buf()
  ask_menu(lines, function(client, menu)
    local entry = name and named(menu, name)
    if entry then
      client:exec_cmd(command_of(entry), { bufnr = buffer })
    elseif name then
      vim.notify(("There is no action %s for this place"):format(name), vim.log.levels.WARN)
    elseif #menu == 0 then
      vim.notify("There is no action for this place", vim.log.levels.INFO)
    else
      vim.ui.select(menu, {
        prompt = "Actions:",
        kind = "codeaction",
        format_item = function(item)
          return item.title
        end,
      }, function(choice)
        if choice then
          client:exec_cmd(command_of(choice), { bufnr = buffer })
        end
      end)
    end
  end)
end

--- Return the ids of the actions at the cursor; waits for the server, shortly.
---@return string[]
function M.ids()
  local client = server.client()
  if not client then
    return {}
  end
  local answer = client:request_sync("textDocument/codeAction", menu_params(client), PATIENCE_MS, 0)
  local ids = {}
  for _, entry in ipairs(answer and answer.result or {}) do
    local id = id_of(entry)
    if id and not vim.list_contains(ids, id) then
      ids[#ids + 1] = id
    end
  end
  return ids
end

--- Run an action that was chosen in any menu: Neovim calls this in place of sending the command.
---@param command lsp.Command
---@param context lsp.HandlerContext
function M.run(command, context)
  local client = assert(vim.lsp.get_client_by_id(context.client_id))
  local argument = command.arguments[1]
  local line = argument.range and argument.range.start.line or 0
  explanation.asked(runs.start(client, command, { bufnr = context.bufnr, line = line }))
end

return M
