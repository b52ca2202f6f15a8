require("lsp_server.begin")()
