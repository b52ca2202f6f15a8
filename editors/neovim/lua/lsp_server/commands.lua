--- The command `:LspServer {subcommand}`: a registry of subcommands, and their completion.
---
--- Must not know what a subcommand does: the modules that do it register it.

local M = {}

---@class lsp_server.Call
---@field args string[] the words after the subcommand
---@field range {first: integer, last: integer}? lines (from 1), if a range was given
---@field bang boolean

---@class lsp_server.Subcommand
---@field summary string one line for people, in the imperative
---@field run fun(call: lsp_server.Call)
---@field complete? fun(lead: string, args: string[]): string[] values of the word being typed, after those in `args`
---@field range? boolean takes a range of lines

---@type table<string, lsp_server.Subcommand>
local subcommands = {}

--- Add a subcommand.
---@param name string
---@param subcommand lsp_server.Subcommand
function M.register(name, subcommand)
  subcommands[name] = subcommand
end

--- Return all subcommands.
---@return table<string, lsp_server.Subcommand>
function M.all()
  return subcommands
end

---@param words string[]
---@param lead string
---@return string[]
local function beginning_with(words, lead)
  local found = vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, words)
  table.sort(found)
  return found
end

--- Return what completes the command line, for `complete` of a user command.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(vim.trim(line:gsub("^.-LspServer!?%s*", "")), "%s+", { trimempty = true })
  if lead ~= "" then
    table.remove(words) -- the word being typed
  end
  if #words == 0 then
    return beginning_with(vim.tbl_keys(subcommands), lead)
  end
  local subcommand = subcommands[table.remove(words, 1)]
  if not subcommand or not subcommand.complete then
    return {}
  end
  return beginning_with(subcommand.complete(lead, words), lead)
end

--- Run `:LspServer …`.
---@param called vim.api.keyset.create_user_command.command_args
function M.run(called)
  local words = vim.list_slice(called.fargs)
  local name = table.remove(words, 1)
  local subcommand = subcommands[name]
  local range = called.range > 0 and { first = called.line1, last = called.line2 } or nil
  if not subcommand then
    vim.notify(("LspServer: there is no %s; <Tab> lists what there is"):format(name), vim.log.levels.ERROR)
  elseif range and not subcommand.range then
    vim.notify(("LspServer %s takes no range"):format(name), vim.log.levels.ERROR)
  else
    subcommand.run({ args = words, range = range, bang = called.bang })
  end
end

return M
