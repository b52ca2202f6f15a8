--- What is defined before any server runs: the command, <Plug> maps, highlights, and waiting for buffers.
---
--- Loads no other module until something is used.

local begun = false

local function define_command()
  vim.api.nvim_create_user_command("LspServer", function(called)
    require("lsp_server.subcommands")
    require("lsp_server.commands").run(called)
  end, {
    nargs = "+",
    range = true,
    bang = true,
    desc = "codestral-lsp",
    complete = function(lead, line)
      require("lsp_server.subcommands")
      return require("lsp_server.commands").complete(lead, line)
    end,
  })
end

local function define_maps()
  for name, action in pairs({
    accept = "accept",
    ["accept-word"] = "accept_word",
    ["accept-line"] = "accept_line",
    dismiss = "dismiss",
    trigger = "trigger",
  }) do
    vim.keymap.set("i", ("<Plug>(lsp-server-%s)"):format(name), function()
      require("lsp_server")[action]()
    end, { desc = "codestral-lsp: " .. action:gsub("_", " ") })
  end
end

--- Return what runs a subcommand; in Visual mode the selection is its range.
---@param words string
---@return fun(): string
local function command(words)
  return function()
    local visual = vim.api.nvim_get_mode().mode:match("^[vV\22]") ~= nil
    return (visual and ":" or "<Cmd>") .. "LspServer " .. words .. "<CR>"
  end
end

local function define_command_maps()
  for name, it in pairs({
    action = { { "n", "x" }, "action" },
    explain = { { "n", "x" }, "explain" },
    answer = { { "n" }, "answer" },
    stop = { { "n", "i" }, "stop" },
    chat = { { "n", "x" }, "chat" },
    ["chat-send"] = { { "n" }, "chat send" },
    ["chat-stop"] = { { "n" }, "chat stop" },
    ["chat-regenerate"] = { { "n" }, "chat regenerate" },
    ["chat-apply"] = { { "n" }, "chat apply" },
  }) do
    local plug = ("<Plug>(lsp-server-%s)"):format(name)
    vim.keymap.set(it[1], plug, command(it[2]), { expr = true, silent = true, desc = "codestral-lsp: " .. it[2] })
  end
  vim.keymap.set("i", "<Plug>(lsp-server-chat-send)", "<Esc><Cmd>LspServer chat send<CR>", {
    silent = true,
    desc = "codestral-lsp: chat send",
  })
end

local function define_highlights()
  for name, link in pairs({
    LspServerGhost = "Comment",
    LspServerProgress = "Comment",
    LspServerAdded = "DiffAdd",
    LspServerRemoved = "DiffDelete",
  }) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
end

local function await_buffers()
  local group = vim.api.nvim_create_augroup("lsp_server", {})
  vim.api.nvim_create_autocmd("LspAttach", {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == "lsp_server" then
        require("lsp_server.attachment").begin(client, event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd({ "BufWritePost", "BufFilePost" }, {
    group = group,
    callback = function(event)
      require("lsp_server.attachment").renew(event.buf)
    end,
  })
  vim.api.nvim_create_autocmd("ColorScheme", { group = group, callback = define_highlights })
end

-- Neovim writes to its log and says nothing.
local function tell_of_missing_program()
  vim.api.nvim_create_autocmd("FileType", {
    group = "lsp_server",
    callback = function(event)
      if vim.bo[event.buf].buftype ~= "" or not vim.lsp.is_enabled("lsp_server") then
        return
      end
      local program = require("lsp_server.server").executable()
      if vim.fn.executable(program) == 0 then
        -- Later, and short: Neovim would ask to press a key after two messages at once.
        vim.schedule(function()
          vim.notify(("No program %s: see :checkhealth lsp_server"):format(program), vim.log.levels.WARN)
        end)
      end
      return true -- once
    end,
  })
end

--- Define all of it, once: plugin/ and lsp/ both call this, whichever Neovim reads first.
return function()
  if begun then
    return
  end
  begun = true
  define_command()
  define_maps()
  define_command_maps()
  define_highlights()
  await_buffers()
  tell_of_missing_program()
end
