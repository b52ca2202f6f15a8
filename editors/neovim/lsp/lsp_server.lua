--- How Neovim starts the server; `vim.lsp.config("lsp_server", …)` changes it.
---
--- Neovim reads this file whenever it resolves the configuration: nothing here may cost anything.

require("lsp_server.begin")()

local interface = require("lsp_server.interface")

---@type vim.lsp.Config
return vim.tbl_deep_extend("error", {
  cmd = { require("lsp_server.program").find(), "--stdio" },
  root_markers = { ".git" },
  capabilities = {
    textDocument = { inlineCompletion = { dynamicRegistration = false } },
    experimental = { lspServerStatus = true },
  },
  handlers = {
    ["$/lsp_server/status"] = function(_, params, context)
      if require("lsp_server.status").received(context.client_id, params) then
        require("lsp_server.ghost").ask_again()
      end
    end,
  },
  on_exit = function(code, signal, client_id)
    require("lsp_server.revival").exited(client_id, code, signal)
  end,
}, {
  capabilities = interface.capabilities,
  handlers = interface.handlers,
  commands = interface.commands,
  reuse_client = interface.reuse_client,
})
