--- The subcommands of `:LspServer` that ask a model for more than ghost text.

local commands = require("lsp_server.commands")

local function actions()
  return require("lsp_server.actions")
end

commands.register("action", {
  summary = "Run the code action of this id or title, or choose one",
  range = true,
  run = function(call)
    local name = table.concat(call.args, " ")
    actions().choose(name ~= "" and name or nil, call.range)
  end,
  complete = function(_, args)
    return #args == 0 and actions().ids() or {}
  end,
})

commands.register("explain", {
  summary = "Explain the code at the cursor or in the range",
  range = true,
  run = function(call)
    actions().choose("explain", call.range)
  end,
})

commands.register("answer", {
  summary = "Show the last answer again",
  run = function()
    if not require("lsp_server.explanation").show() then
      vim.notify("There has been no answer yet", vim.log.levels.INFO)
    end
  end,
})

commands.register("stop", {
  summary = "Stop what a model is writing, everywhere",
  run = function()
    if require("lsp_server.runs").stop() == 0 then
      vim.notify("Nothing runs", vim.log.levels.INFO)
    end
  end,
})

--- What `:LspServer chat …` takes; without a word it opens one.
local CHAT = { send = "send", stop = "stop", regenerate = "regenerate", apply = "apply" }

commands.register("chat", {
  summary = "Open a chat, with the lines of the range; or send, stop, regenerate, apply in one",
  range = true,
  run = function(call)
    local chat, word = require("lsp_server.chat"), call.args[1]
    if word == nil then
      chat.open(call.range)
    elseif CHAT[word] then
      chat[CHAT[word]]()
    else
      vim.notify(
        ("LspServer chat: there is no %s; there are apply, regenerate, send, stop"):format(word),
        vim.log.levels.ERROR
      )
    end
  end,
  complete = function(_, args)
    return #args == 0 and vim.tbl_keys(CHAT) or {}
  end,
})
