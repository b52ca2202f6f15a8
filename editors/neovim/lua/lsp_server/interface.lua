--- What this plugin's client does beyond Neovim's own, for `vim.lsp.config`: previews, answers, chats.
---
--- Loads the modules that do it when the server first asks for them.

local M = {}

--- Return a function of a module that is loaded when it is called.
---@param module string
---@param name string
---@return fun(...): any
local function late(module, name)
  return function(...)
    return require("lsp_server." .. module)[name](...)
  end
end

M.capabilities = {
  textDocument = {
    -- No edits at resolve: Neovim would apply them unseen and, where they are outdated, drop them without a word.
    codeAction = { resolveSupport = { properties = { "command" } } },
  },
  workspace = {
    workspaceEdit = { documentChanges = true, changeAnnotationSupport = { groupsOnLabel = false } },
  },
  experimental = { lspServerAnswers = true },
}

M.handlers = {
  ["workspace/applyEdit"] = late("edits", "on_apply"),
  ["window/showMessage"] = late("messages", "on_message"),
  ["window/showDocument"] = late("chat", "on_show_document"),
  ["$/lsp_server/partial"] = function(_, partial)
    require("lsp_server.explanation").on_partial(partial)
  end,
}

--- What Neovim calls in place of sending these commands, whatever menu they come from.
M.commands = {
  ["lsp_server.runAction"] = late("actions", "run"),
  ["lsp_server.chat.send"] = late("chat", "run"),
  ["lsp_server.chat.regenerate"] = late("chat", "run"),
}

M.reuse_client = late("chat", "reuse_client")

--- Follow the progress of a server's runs. Called when its first buffer is attached.
function M.begin()
  vim.api.nvim_create_autocmd("LspProgress", {
    group = vim.api.nvim_create_augroup("lsp_server.runs", {}),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == require("lsp_server.server").NAME then
        require("lsp_server.runs").on_progress(client.id, event.data.params)
      end
    end,
  })
end

return M
