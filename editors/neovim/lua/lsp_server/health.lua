--- `:checkhealth lsp_server`.

local M = {}

local options = require("lsp_server.options")
local server = require("lsp_server.server")

--- The doctor asks the model for a completion; a model that is being loaded takes this long and longer.
local DOCTOR_MS = 30000

local function check_neovim()
  vim.health.start("Neovim")
  if vim.fn.has("nvim-0.11") == 0 then
    return vim.health.error("Neovim 0.11 or later is needed")
  end
  vim.health.ok(("Neovim %s"):format(vim.version()))
  local kind = require("lsp_server.ghost").kind()
  if kind == "builtin" then
    vim.health.ok("Ghost text: vim.lsp.inline_completion")
  elseif kind then
    vim.health.ok("Ghost text: drawn by this plugin")
  else
    vim.health.info("Ghost text: off (vim.g.lsp_server.ghost)")
  end
  for _, problem in ipairs(options.problems()) do
    vim.health.error(problem)
  end
end

---@return boolean found
local function check_server()
  vim.health.start("Server")
  local program = server.executable()
  if vim.fn.executable(program) == 0 then
    vim.health.error(("There is no program %s on PATH"):format(program), {
      "Install it as the README says, so that it is " .. require("lsp_server.program").in_checkout(),
      'Or name it: vim.lsp.config("lsp_server", { cmd = { "/path/to/lsp_server", "--stdio" } })',
    })
    return false
  end
  local asked = vim.system({ program, "--version" }, { text = true }):wait(10000)
  vim.health.ok(("%s: %s"):format(vim.fn.exepath(program), vim.trim(asked.stdout or "")))
  if not vim.lsp.is_enabled(server.NAME) then
    vim.health.warn("It is not enabled", { 'Add vim.lsp.enable("lsp_server") to your init.lua' })
  end
  return true
end

local function check_clients()
  vim.health.start("Running servers")
  local clients = vim.lsp.get_clients({ name = server.NAME })
  if #clients == 0 then
    vim.health.info("None: one starts with the first file that is opened")
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_map(function(buffer)
      return vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ":~:.")
    end, vim.tbl_keys(client.attached_buffers))
    local status = require("lsp_server.status").of(client.id) or {}
    vim.health.ok(("%s, %s, for %s"):format(status.backend or "?", status.state or "?", table.concat(buffers, ", ")))
    if status.message and status.message ~= "" then
      vim.health.info(status.message)
    end
  end
end

---@param action string
---@param key string
---@param buffer integer
local function check_key(action, key, buffer)
  local fallthrough = require("lsp_server.fallthrough")
  local wanted = vim.api.nvim_replace_termcodes(key, true, true, true)
  for _, mapping in ipairs(vim.api.nvim_buf_get_keymap(buffer, "i")) do
    if mapping.lhsraw == wanted and vim.startswith(mapping.desc or "", fallthrough.MARK) then
      return vim.health.ok(("%s: %s"):format(key, action))
    end
  end
  vim.health.warn(("%s is mapped to something else, so it does not %s"):format(key, action), {
    ("Map another key to <Plug>(lsp-server-%s)"):format((action:gsub(" ", "-"))),
  })
end

local function check_keys()
  vim.health.start("Keys of ghost text")
  local keys = options.get("keys")
  local client = vim.lsp.get_clients({ name = server.NAME })[1]
  local buffer = client and next(client.attached_buffers)
  if not keys then
    return vim.health.info("None (vim.g.lsp_server.keys)")
  elseif not buffer then
    return vim.health.info("They are set in files that a server runs for")
  end
  for action, key in vim.spairs(keys) do
    for _, one in ipairs(type(key) == "table" and key or { key or nil }) do
      check_key(action:gsub("_", " "), one, buffer)
    end
  end
end

---@param finding {check: string, level: "ok"|"warning"|"problem", text: string, advice: string}
local function report(finding)
  local text = ("%s: %s"):format(finding.check, finding.text)
  local advice = finding.advice ~= "" and { finding.advice } or nil
  if finding.level == "ok" then
    vim.health.ok(text)
  elseif finding.level == "warning" then
    vim.health.warn(text, advice)
  else
    vim.health.error(text, advice)
  end
end

local function check_doctor()
  vim.health.start("lsp_server doctor")
  local asked = vim.system({ server.executable(), "doctor", "--json" }, { text = true }):wait(DOCTOR_MS)
  local ok, said = pcall(vim.json.decode, asked.stdout or "")
  if not ok or type(said) ~= "table" then
    return vim.health.warn("It took too long", { "Run :LspServer doctor" })
  end
  for _, finding in ipairs(said.findings) do
    report(finding)
  end
end

--- Run all checks.
function M.check()
  check_neovim()
  local found = check_server()
  check_clients()
  check_keys()
  if found then
    check_doctor()
  end
end

return M
