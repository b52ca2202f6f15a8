--- The options of this plugin, in `vim.g.lsp_server`; those of the server are in `vim.lsp.config`.
---
--- Owns names, defaults and checks. Must not know what an option is for.

local M = {}

--- The defaults.
---@class lsp_server.Options
M.DEFAULTS = {
  --- Who draws ghost text: "builtin" (Neovim 0.12 or later), "own", false for nobody; "auto" is the
  --- built-in one where there is one.
  ---@type "auto"|"builtin"|"own"|false
  ghost = "auto",
  --- Keys in Insert mode: a key, a list of keys, or false for none; `keys = false` sets no keys at all.
  ---@type table<string, string|string[]|false>|false
  keys = {
    accept = "<Tab>",
    -- The second one is what a Mac has instead, where <C-Right> changes the desktop.
    accept_word = { "<C-Right>", "<M-Right>" },
    accept_line = "<M-l>",
    dismiss = "<C-e>",
    trigger = "<M-\\>",
  },
  --- Show in the command line that a model is being fetched or loaded.
  progress = true,
}

---@param value any
---@return boolean
local function is_key(value)
  return value == false or type(value) == "string" or vim.islist(value)
end

---@type table<string, {expected: string, valid: fun(value: any): boolean}>
local CHECKS = {
  ghost = {
    expected = '"auto", "builtin", "own" or false',
    valid = function(value)
      return value == false or vim.list_contains({ "auto", "builtin", "own" }, value)
    end,
  },
  keys = {
    expected = "a table, or false",
    valid = function(value)
      return value == false or type(value) == "table"
    end,
  },
  progress = {
    expected = "true or false",
    valid = function(value)
      return type(value) == "boolean"
    end,
  },
}

---@param given table
---@param known table
---@param where string
---@return string[]
local function unknown(given, known, where)
  local names = vim.tbl_keys(known)
  table.sort(names)
  local found = {}
  for name in vim.spairs(given) do
    if known[name] == nil then
      local text = "%s: there is no option %s; there are %s"
      table.insert(found, text:format(where, name, table.concat(names, ", ")))
    end
  end
  return found
end

--- Return what is wrong with `vim.g.lsp_server`, one sentence each.
---@return string[]
function M.problems()
  local given = vim.g.lsp_server
  if given == nil then
    return {}
  elseif type(given) ~= "table" then
    return { "vim.g.lsp_server: must be a table" }
  end
  local found = unknown(given, M.DEFAULTS, "vim.g.lsp_server")
  for name, check in vim.spairs(CHECKS) do
    if given[name] ~= nil and not check.valid(given[name]) then
      table.insert(found, ("vim.g.lsp_server.%s: must be %s"):format(name, check.expected))
    end
  end
  if type(given.keys) == "table" then
    vim.list_extend(found, unknown(given.keys, M.DEFAULTS.keys, "vim.g.lsp_server.keys"))
    for name, key in vim.spairs(given.keys) do
      if M.DEFAULTS.keys[name] ~= nil and not is_key(key) then
        local text = "vim.g.lsp_server.keys.%s: must be a key, a list of keys, or false"
        table.insert(found, text:format(name))
      end
    end
  end
  return found
end

local checked = false

--- Tell the user once what is wrong.
function M.check()
  if not checked then
    checked = true
    for _, problem in ipairs(M.problems()) do
      vim.notify(problem, vim.log.levels.WARN)
    end
  end
end

--- Return an option; a wrong value counts as none.
---@param name string
---@return any
function M.get(name)
  local given = vim.g.lsp_server
  local value = type(given) == "table" and given[name]
  local default = M.DEFAULTS[name]
  if type(given) ~= "table" or value == nil or not CHECKS[name].valid(value) then
    return default
  elseif type(value) == "table" and type(default) == "table" then
    return vim.tbl_extend("force", default, value)
  end
  return value
end

return M
